/**
 * What `weft lab` builds and runs, after compilation: sets expanded, names,
 * addresses and defaults filled in. Nothing here reaches the controller.
 */
export interface LabSpec {
  /** Underlay bridges; every node with an underlay is on exactly one. */
  readonly segments: readonly LabSegment[]
  readonly bridges: readonly LabBridge[]
  readonly endpoints: readonly LabEndpoint[]
  readonly traffic: readonly LabTraffic[]
  readonly checks: readonly LabCheck[]
}

export interface LabSegment {
  readonly name: string
  readonly kind: 'bridge'
  /** Node names. */
  readonly members: readonly string[]
  /** MTU of the bridge and of the nodes' underlay devices, bytes. */
  readonly mtu: number
}

/** A Linux bridge in a node's namespace. */
export interface LabBridge {
  readonly name: string
  readonly node: string
}

export interface LabEndpoint {
  readonly name: string
  readonly node: string
  /** Device in the node's namespace: the port of the network, or a port of `bridge`. */
  readonly interface: string
  readonly bridge?: string
  readonly network: string
  readonly vni: number
  /** Lower case; absent: the kernel's choice. */
  readonly mac?: string
  /** Canonical CIDR text, IPv4 and IPv6, in file order. */
  readonly addresses: readonly string[]
  /** MTU of the endpoint's own end: its own, the network's, or what the underlay leaves. */
  readonly mtu: number
}

interface LabTrafficBase {
  /** Endpoint name. */
  readonly from: string
  /** Endpoint name, or an address as the file has it. */
  readonly to: string
  /** `to` as an address, without prefix length. */
  readonly address: string
  /** Parallel flows. */
  readonly flows: number
  /** Between packets (ping) or between runs (tcp). */
  readonly every_ms: number
  /** Packets or runs; absent: until stopped. */
  readonly count?: number
}

export interface LabPingTraffic extends LabTrafficBase {
  readonly kind: 'ping'
  /** Payload bytes, as `ping -s`. */
  readonly size: number
}

export interface LabTcpTraffic extends LabTrafficBase {
  readonly kind: 'tcp'
  /** Of one run. */
  readonly duration_ms: number
}

export type LabTraffic = LabPingTraffic | LabTcpTraffic

interface LabCheckBase {
  readonly name: string
  /** Waited before the first try. */
  readonly after_ms: number
  /** Tried again until it passes, at most this long. */
  readonly within_ms: number
}

/** Every endpoint of a network reaches every other, by each address family that both have. */
export interface LabPingMeshCheck extends LabCheckBase {
  readonly kind: 'ping_mesh'
  readonly networks: readonly string[]
}

/** No endpoint of one of the networks reaches one of another. */
export interface LabIsolationCheck extends LabCheckBase {
  readonly kind: 'isolation'
  /** At least two. */
  readonly networks: readonly string[]
}

/** Full-size frames pass unfragmented between all pairs of a network. */
export interface LabMtuCheck extends LabCheckBase {
  readonly kind: 'mtu'
  readonly networks: readonly string[]
}

/** A TCP transfer (iperf3) from one endpoint to another moves bytes. */
export interface LabTcpCheck extends LabCheckBase {
  readonly kind: 'tcp'
  readonly from: string
  readonly to: string
  /** `to` by address: one for each family that both ends have. */
  readonly addresses: readonly string[]
  readonly flows: number
  readonly duration_ms: number
}

/** Resolving every address of a network anew floods nothing to the underlay. */
export interface LabFloodFreeCheck extends LabCheckBase {
  readonly kind: 'flood_free'
  readonly networks: readonly string[]
}

/** A broadcast from each port that has an endpoint leaves every other port of its network exactly once. */
export interface LabFanoutCheck extends LabCheckBase {
  readonly kind: 'fanout'
  readonly networks: readonly string[]
}

/** An endpoint that moves is reached by all others of its network, `within_ms` after it moved. */
export interface LabMacMoveCheck extends LabCheckBase {
  readonly kind: 'mac_move'
  readonly endpoint: string
  /** Node at home. */
  readonly from: string
  readonly to: string
}

export type LabCheck =
  | LabPingMeshCheck
  | LabIsolationCheck
  | LabMtuCheck
  | LabTcpCheck
  | LabFloodFreeCheck
  | LabFanoutCheck
  | LabMacMoveCheck

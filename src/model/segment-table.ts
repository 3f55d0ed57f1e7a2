import type { Ip } from './ip.js'
import type { Mac } from './mac.js'

/** Where a MAC of a segment lives, as the controller says. */
export interface FdbEntry {
  readonly vtep: Ip
  /** Declared in the topology: learning must not contradict it. */
  readonly static: boolean
}

/** Which MAC has an address of a tenant. */
export interface Binding {
  readonly mac: Mac
  /** It is a router's: the R flag of its neighbour advertisements (RFC 4861 4.4). */
  readonly router: boolean
}

/** What all members of a segment share, apart from its MACs and addresses. */
export interface SegmentSpec {
  readonly network: string
  readonly flood_replicate: boolean
  /** Multicast group of the underlay that BUM goes to, in place of a copy for each VTEP. */
  readonly group: Ip | undefined
  readonly learn_ports: boolean
  /** Ports' MACs are claimed with the controller; otherwise what is learned stays in the dataplane. */
  readonly claim_macs: boolean
  /** Source MACs of tunnels are learned too: dataplane learning. */
  readonly learn_tunnels: boolean
  /** ARP and ND are answered on the node where the answer is known. */
  readonly suppress: boolean
  /** Router advertisements only from ports that are a router's. */
  readonly ra_guard: boolean
  readonly fast_path: boolean
  /** MACs that may be learned on one port; 0: no limit. */
  readonly mac_limit: number
  /** BUM packets that one port may send, a second; 0: no limit. */
  readonly bum_limit: number
  readonly mac_ageing_s: number
  /** Largest inner L3 packet, bytes; 0: what the underlay allows. */
  readonly mtu: number
  /** VTEPs that get BUM copies and from which frames are accepted; sorted, each once. */
  readonly members: readonly Ip[]
}

/** One segment as a node holds it. Never changed in place: an update makes a new one. */
export interface SegmentTable {
  readonly vni: number
  readonly revision: bigint
  /** Set hash of entries and bindings (set-hash.ts). */
  readonly hash: bigint
  readonly spec: SegmentSpec
  readonly entries: ReadonlyMap<Mac, FdbEntry>
  readonly bindings: ReadonlyMap<Ip, Binding>
}

/** What joins a node to a segment. */
export interface AssignedPort {
  /** Of a device; of a Linux bridge that Weft plugs itself into when `kind` is bridge. */
  readonly interface: string
  readonly vni: number
  readonly kind: 'device' | 'bridge'
  /** Router advertisements may come from here. */
  readonly router: boolean
  /** Sources that may speak here; all when empty. */
  readonly allowed_macs: readonly Mac[]
  /** Addresses or subnets that may be used here, canonical text as `10.0.0.1/32`; all when empty. */
  readonly allowed_ips: readonly string[]
}

/** The part that is one node's alone. */
export interface NodeAssignment {
  readonly underlay_dev: string
  readonly vtep: Ip
  readonly udp_port: number
  readonly ports: readonly AssignedPort[]
}

/** Everything one node is asked to program, complete up to `revision`. */
export interface NodeState {
  readonly revision: bigint
  readonly assignment: NodeAssignment
  readonly segments: ReadonlyMap<number, SegmentTable>
}

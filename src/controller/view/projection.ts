import type {
  DesiredTopology,
  NetworkSpec,
  NodeSpec,
  PortSpec,
  StaticSpec,
} from '../../model/desired-state.js'
import { canonicalIp, type Ip } from '../../model/ip.js'
import { type Mac, parseMac } from '../../model/mac.js'
import type {
  AssignedPort,
  Binding,
  FdbEntry,
  NodeAssignment,
  SegmentSpec,
} from '../../model/segment-table.js'

/** A declared MAC: where it is, and what was declared. */
export interface Declared {
  readonly entry: FdbEntry
  readonly spec: StaticSpec
}

/** PURE: one network of one topology, as its segment. */
export interface SegmentView {
  readonly topology: string
  readonly network: NetworkSpec
  readonly spec: SegmentSpec
  readonly declared: ReadonlyMap<Mac, Declared>
  /** Addresses that go with declared MACs, where ARP and ND are answered from them. */
  readonly bound: ReadonlyMap<Ip, Binding>
  /** VTEPs of ours with a port in it, by address. */
  readonly nodes: ReadonlyMap<Ip, string>
}

/** PURE: one node over all topologies. */
export interface NodeView {
  readonly spec: NodeSpec
  readonly vtep: Ip | undefined
  readonly assignment: NodeAssignment
  /** By interface. */
  readonly ports: ReadonlyMap<string, AssignedPort>
  readonly vnis: ReadonlySet<number>
}

/** Of a node that no topology names any more, or that has no underlay: nothing to program. */
export const nothingAssigned: NodeAssignment = {
  underlay_dev: '',
  vtep: '::' as Ip,
  udp_port: 0,
  ports: [],
}

export function projectSegment(
  topology: string,
  network: NetworkSpec,
  vteps: ReadonlyMap<string, Ip>,
): SegmentView {
  const nodes = new Map<Ip, string>()
  for (const { node } of network.ports) {
    const vtep = vteps.get(node)
    if (vtep) nodes.set(vtep, node)
  }
  const members = [...new Set([...nodes.keys(), ...network.remotes.map(canonicalIp)])].sort()
  const declared = declaredMacs(network, vteps)
  return {
    topology,
    network,
    nodes,
    declared,
    bound: network.arp === 'suppress' ? boundAddresses(declared) : new Map(),
    spec: {
      network: network.name,
      flood_replicate: network.flood === 'replicate',
      group: network.group === undefined ? undefined : canonicalIp(network.group),
      learn_ports: network.learning !== 'static',
      claim_macs: network.learning === 'control',
      learn_tunnels: network.learning === 'dataplane',
      suppress: network.arp === 'suppress',
      ra_guard: network.ra_guard,
      fast_path: network.fast_path === 'auto',
      mac_limit: network.mac_limit,
      bum_limit: network.bum_limit,
      mac_ageing_s: network.mac_ageing_s,
      mtu: network.mtu === 'auto' ? 0 : network.mtu,
      members,
    },
  }
}

function declaredMacs(network: NetworkSpec, vteps: ReadonlyMap<string, Ip>): Map<Mac, Declared> {
  // One entry for each VTEP, shared by its MACs.
  const entries = new Map<Ip, FdbEntry>()
  const declared = new Map<Mac, Declared>()
  for (const spec of network.static) {
    const mac = parseMac(spec.mac)
    const vtep = spec.remote === undefined ? vteps.get(spec.node ?? '') : canonicalIp(spec.remote)
    if (mac === undefined || vtep === undefined) continue // refused at apply
    const entry = entries.get(vtep) ?? { vtep, static: true }
    entries.set(vtep, entry)
    declared.set(mac, { entry, spec })
  }
  return declared
}

function boundAddresses(declared: ReadonlyMap<Mac, Declared>): Map<Ip, Binding> {
  const bound = new Map<Ip, Binding>()
  for (const [mac, { spec }] of declared) {
    const ip = spec.ip as Ip | undefined // canonical, as compile writes it
    if (ip !== undefined && !bound.has(ip)) bound.set(ip, { mac, router: false })
  }
  return bound
}

/** VTEP addresses by node, over all topologies. */
export function vtepsOf(topologies: Iterable<DesiredTopology>): Map<string, Ip> {
  const vteps = new Map<string, Ip>()
  for (const { nodes } of topologies) {
    for (const { name, underlay } of nodes) if (underlay) vteps.set(name, canonicalIp(underlay.address))
  }
  return vteps
}

/** Each declared node's own part: a node gets only the segments it has ports in. */
export function projectNodes(topologies: Iterable<DesiredTopology>): Map<string, NodeView> {
  const specs = new Map<string, NodeSpec>()
  const ports = new Map<string, Map<string, AssignedPort>>()
  for (const { nodes, networks } of topologies) {
    for (const spec of nodes) if (spec.underlay || !specs.has(spec.name)) specs.set(spec.name, spec)
    for (const network of networks) {
      for (const port of network.ports) {
        const own = ports.get(port.node) ?? ports.set(port.node, new Map()).get(port.node)!
        own.set(port.interface, assignedPort(port, network.vni))
      }
    }
  }
  return new Map([...specs].map(([name, spec]) => [name, nodeView(spec, ports.get(name) ?? new Map())]))
}

function assignedPort(port: PortSpec, vni: number): AssignedPort {
  return {
    interface: port.interface,
    vni,
    kind: port.kind ?? 'device',
    router: port.router ?? false,
    allowed_macs: (port.macs ?? []).flatMap((mac) => parseMac(mac) ?? []),
    allowed_ips: port.addresses ?? [],
  }
}

function nodeView(spec: NodeSpec, ports: ReadonlyMap<string, AssignedPort>): NodeView {
  const { underlay } = spec
  if (!underlay)
    return { spec, vtep: undefined, assignment: nothingAssigned, ports: new Map(), vnis: new Set() }
  const vtep = canonicalIp(underlay.address)
  const assignment: NodeAssignment = {
    underlay_dev: underlay.dev,
    vtep,
    udp_port: underlay.port,
    ports: [...ports.values()],
  }
  return { spec, vtep, assignment, ports, vnis: new Set(assignment.ports.map(({ vni }) => vni)) }
}

import { WeftError } from '../common/errors.js'
import type { DesiredTopology, NetworkSpec, UnderlaySpec } from '../model/desired-state.js'
import { formatMac, type Mac, parseMac } from '../model/mac.js'
import type { LabEndpoint, LabSpec } from '../topology/lab-spec.js'
import {
  addressLine,
  cableLine,
  portLines,
  socketLine,
  stationLines,
  withoutAutomaticAddress,
} from './links.js'
import { namespaceMark, namespaceOf } from './names.js'

export interface PlannedHost {
  readonly name: string
  readonly namespace: string
}

export interface PlannedEndpoint extends LabEndpoint {
  readonly namespace: string
  /** Always set: what the file leaves open is derived from VNI and position. */
  readonly mac: string
}

/** A port of a network that is a device of its own. */
export interface PlannedPort {
  readonly node: string
  readonly interface: string
  readonly network: string
}

/**
 * A lab as commands for `ip`:
 *
 *     endpoint namespace     host namespace            segment namespace
 *     eth0 ──────── veth ─── tap0
 *     eth0 ──────── veth ─── bob ── br0
 *                            eth0 ──────── veth ────── host0 ── bridge
 *
 * Nothing is made in the namespace that `ip` runs in, so deleting the
 * namespaces deletes all of it.
 */
export interface LabPlan {
  readonly name: string
  readonly hosts: readonly PlannedHost[]
  readonly endpoints: readonly PlannedEndpoint[]
  readonly ports: readonly PlannedPort[]
  readonly namespaces: readonly string[]
  /** For one `ip -batch`: namespaces and the links between them. */
  readonly create: readonly string[]
  /** For one `ip -n NAMESPACE -batch` each. */
  readonly configure: ReadonlyMap<string, readonly string[]>
  /** Kernel settings of each host, by their paths below /proc/sys. */
  readonly sysctls: Readonly<Record<string, number>>
}

/** @throws WeftError W-4005 when two members would share a namespace. */
export function planLab({ name, nodes, networks }: DesiredTopology, spec: LabSpec): LabPlan {
  const hosts = nodes.map((node) => ({ name: node.name, namespace: namespaceOf(name, node.name) }))
  const endpoints = spec.endpoints.map((endpoint, index) => ({
    ...endpoint,
    namespace: namespaceOf(name, endpoint.name),
    mac: endpoint.mac ?? madeMac(endpoint.vni, index),
  }))
  const segments = spec.segments.map((segment) => ({
    ...segment,
    namespace: namespaceOf(name, segment.name),
  }))
  const namespaces = [...hosts, ...endpoints, ...segments].map((member) => member.namespace)
  refuseTwins(namespaces)

  const batch = new Batch(name, namespaces)
  const underlays = new Map(nodes.map((node) => [node.name, node.underlay]))
  for (const segment of segments) {
    batch.bridge(segment.namespace, segment.mtu)
    for (const [index, member] of segment.members.entries()) {
      const underlay = underlays.get(member)
      if (underlay) batch.underlay(namespaceOf(name, member), underlay, segment, index)
    }
  }
  for (const bridge of spec.bridges) batch.hostBridge(namespaceOf(name, bridge.node), bridge.name)
  for (const endpoint of endpoints) batch.endpoint(endpoint, namespaceOf(name, endpoint.node))
  const ports = devicePorts(networks)
  const plugged = new Set(endpoints.map((one) => `${one.node}/${one.interface}`))
  for (const port of ports) {
    if (!plugged.has(`${port.node}/${port.interface}`))
      batch.socket(namespaceOf(name, port.node), port.interface)
  }
  const { create, configure } = batch
  return { name, hosts, endpoints, ports, namespaces, create, configure, sysctls: sysctlsFor(networks) }
}

function devicePorts(networks: readonly NetworkSpec[]): PlannedPort[] {
  return networks.flatMap(({ name: network, ports }) =>
    ports
      .filter(({ kind }) => kind !== 'bridge')
      .map(({ node, interface: device }) => ({ node, interface: device, network })),
  )
}

/** A host may be in 20 groups unless told otherwise; Weft checks that and leaves it to the administrator. */
function sysctlsFor(networks: readonly NetworkSpec[]): Record<string, number> {
  const groups = new Set(networks.flatMap(({ group }) => (group === undefined ? [] : [group])))
  return { 'net/ipv4/igmp_max_memberships': 20 + groups.size }
}

class Batch {
  readonly create: string[] = []
  readonly configure = new Map<string, string[]>()

  constructor(lab: string, namespaces: readonly string[]) {
    for (const namespace of namespaces) {
      this.create.push(`netns add ${namespace}`)
      this.configure.set(namespace, [`link set dev lo alias ${namespaceMark(lab)}`, 'link set dev lo up'])
    }
  }

  bridge(namespace: string, mtu: number): void {
    // Snooping needs a querier, which a lab has not: neighbour discovery would stop when entries age out.
    this.create.push(`link add name br0 netns ${namespace} type bridge mcast_snooping 0`)
    this.in(namespace, 'link set dev br0 addrgenmode none', `link set dev br0 mtu ${mtu} up`)
  }

  underlay(
    host: string,
    { dev, address, prefix_length }: UnderlaySpec,
    segment: { readonly namespace: string; readonly mtu: number },
    index: number,
  ): void {
    const { namespace, mtu } = segment
    this.create.push(
      `link add name ${dev} netns ${host} mtu ${mtu} type veth peer name port${index} netns ${namespace} mtu ${mtu}`,
    )
    this.in(
      namespace,
      `link set dev port${index} addrgenmode none`,
      `link set dev port${index} master br0 up`,
    )
    this.in(host, ...withoutAutomaticAddress(dev), `link set dev ${dev} up`)
    this.in(host, addressLine(`${address}/${prefix_length}`, dev))
  }

  hostBridge(host: string, name: string): void {
    this.create.push(`link add name ${name} netns ${host} type bridge`)
    this.in(host, ...withoutAutomaticAddress(name), `link set dev ${name} up`)
  }

  /** The device of a port in which nothing is plugged yet. */
  socket(host: string, name: string): void {
    this.create.push(socketLine(host, name))
    this.in(host, ...portLines(name))
  }

  endpoint(endpoint: PlannedEndpoint, host: string): void {
    this.create.push(cableLine(endpoint, 'eth0', host, endpoint.interface))
    this.in(host, ...portLines(endpoint.interface, endpoint.bridge))
    this.in(endpoint.namespace, ...stationLines(endpoint))
  }

  private in(namespace: string, ...lines: string[]): void {
    const known = this.configure.get(namespace)
    if (!known) throw new WeftError('W-5000', `namespace ${namespace} is not part of the plan`)
    known.push(...lines)
  }
}

/** `0a:VV:VV:VV:NN:NN`: locally administered, the same in each run. */
function madeMac(vni: number, index: number): string {
  const first = parseMac('0a:00:00:00:00:00')!
  return formatMac((first + vni * 2 ** 16 + index + 1) as Mac)
}

function refuseTwins(namespaces: readonly string[]): void {
  const seen = new Set<string>()
  for (const namespace of namespaces) {
    if (seen.has(namespace))
      throw new WeftError('W-4005', `two members of the lab would share the namespace ${namespace}`, {
        next: 'give each node, endpoint and lab segment a name of its own',
      })
    seen.add(namespace)
  }
}

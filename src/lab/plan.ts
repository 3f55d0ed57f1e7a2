import { WeftError } from '../common/errors.js'
import type { DesiredTopology, UnderlaySpec } from '../model/desired-state.js'
import { formatMac, type Mac, parseMac } from '../model/mac.js'
import type { LabEndpoint, LabSpec } from '../topology/lab-spec.js'
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

/**
 * A lab as commands for `ip`:
 *
 *     endpoint namespace     host namespace        segment namespace
 *     eth0 ──────── veth ─── tap0
 *                            eth0 ──────── veth ── host0 ── bridge
 *
 * Nothing is made in the namespace that `ip` runs in, so deleting the
 * namespaces deletes all of it.
 */
export interface LabPlan {
  readonly name: string
  readonly hosts: readonly PlannedHost[]
  readonly endpoints: readonly PlannedEndpoint[]
  readonly namespaces: readonly string[]
  /** For one `ip -batch`: namespaces and the links between them. */
  readonly create: readonly string[]
  /** For one `ip -n NAMESPACE -batch` each. */
  readonly configure: ReadonlyMap<string, readonly string[]>
}

/** @throws WeftError W-4005 when two members would share a namespace. */
export function planLab({ name, nodes }: DesiredTopology, spec: LabSpec): LabPlan {
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
  for (const endpoint of endpoints) batch.endpoint(endpoint, namespaceOf(name, endpoint.node))
  return { name, hosts, endpoints, namespaces, create: batch.create, configure: batch.configure }
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

  endpoint({ namespace, interface: port, mac, mtu, addresses }: PlannedEndpoint, host: string): void {
    this.create.push(
      `link add name eth0 netns ${namespace} address ${mac} mtu ${mtu} type veth peer name ${port} netns ${host} mtu ${mtu}`,
    )
    // No address on the host's end: the host is no station of the segment.
    this.in(host, `link set dev ${port} addrgenmode none`, `link set dev ${port} up`)
    this.in(namespace, ...withoutAutomaticAddress('eth0'), 'link set dev eth0 up')
    if (addresses.some((address) => address.includes(':')))
      this.in(namespace, addressLine(`${linkLocal(mac)}/64`, 'eth0'))
    for (const address of addresses) this.in(namespace, addressLine(address, 'eth0'))
  }

  private in(namespace: string, ...lines: string[]): void {
    const known = this.configure.get(namespace)
    if (!known) throw new WeftError('W-5000', `namespace ${namespace} is not part of the plan`)
    known.push(...lines)
  }
}

// The kernel's own link-local address goes through duplicate address detection, a second in which nothing works.
function withoutAutomaticAddress(device: string): string[] {
  return [`link set dev ${device} addrgenmode none`]
}

function addressLine(cidr: string, device: string): string {
  return `addr add ${cidr} dev ${device}${cidr.includes(':') ? ' nodad' : ''}`
}

/** Modified EUI-64 (RFC 4291 appendix A). */
function linkLocal(mac: string): string {
  const octets = mac.split(':').map((octet) => Number.parseInt(octet, 16))
  octets[0] = octets[0]! ^ 2
  octets.splice(3, 0, 0xff, 0xfe)
  const groups = [0, 2, 4, 6].map((at) => ((octets[at]! << 8) | octets[at + 1]!).toString(16))
  return `fe80::${groups.join(':')}`
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

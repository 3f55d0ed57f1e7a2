import type { Path } from '../problem.js'
import type { EndpointSet } from '../schema/lab.js'
import { show } from '../words.js'
import { addressAt, type Cidr, readCidr, subnetText } from './cidr.js'
import { addImpliedPort } from './implied-port.js'
import { plugBehind } from './lab-bridges.js'
import type { EndpointContext, LabContext } from './lab-context.js'
import type { EndpointTable, PlacedAddress } from './lab-endpoint-table.js'
import type { Plug } from './lab-endpoints.js'
import type { CompiledNetwork } from './networks.js'
import { selectNodes } from './nodes.js'

/** Makes the endpoints of `endpoint_sets`: node by node, numbered from 0 over the whole set. */
export function expandSets(context: EndpointContext, table: EndpointTable): void {
  for (const [index, set] of context.lab.endpoint_sets.entries()) {
    const path = ['lab', 'endpoint_sets', index]
    const network = context.networks.byName.get(set.network)
    if (network) expand(set, network, path, context, table)
    else {
      context.findings.unknown('network', set.network, [...path, 'network'], context.networks.byName.keys())
    }
  }
}

function expand(
  set: EndpointSet,
  network: CompiledNetwork,
  path: Path,
  context: EndpointContext,
  table: EndpointTable,
): void {
  const nodes =
    set.nodes === undefined ? network.members : selectNodes(set.nodes, [...path, 'nodes'], context)
  const subnets = subnetsOf(set, path, context)
  const hint = set.name.includes('{i}') ? {} : { hint: '{i} gives each a number' }
  let i = -1
  for (const node of placements(nodes, set.per_node)) {
    i++
    const name = nameOf(set.name, { network: set.network, node, i })
    if (!table.isFree(name, [...path, 'name'], hint)) return
    const addresses = addressesOf(set, subnets, i, name, path, context)
    if (!addresses) return
    const plug = plugOf(set, { name, node, network }, path, context)
    if (!plug) return
    table.add({ name, ...plug, addresses, ...(set.mtu ? { mtu: set.mtu } : {}) }, path)
  }
}

function plugOf(
  { bridge }: EndpointSet,
  one: { readonly name: string; readonly node: string; readonly network: CompiledNetwork },
  path: Path,
  context: EndpointContext,
): Plug | undefined {
  if (bridge !== undefined) return plugBehind({ ...one, bridge }, path, context)
  const paths = { node: [...path, 'nodes'], interface: [...path, 'name'] }
  const port = { node: one.node, interface: one.name }
  return addImpliedPort(port, one.network, paths, context) ? { ...port, network: one.network } : undefined
}

function* placements(nodes: Iterable<string>, perNode: number): Generator<string> {
  for (const node of nodes) for (let n = 0; n < perNode; n++) yield node
}

function nameOf(template: string, values: { network: string; node: string; i: number }): string {
  return template
    .replaceAll('{network}', values.network)
    .replaceAll('{node}', values.node)
    .replaceAll('{i}', String(values.i))
}

function subnetsOf(set: EndpointSet, path: Path, { findings }: LabContext): Map<string, Cidr> {
  const subnets = new Map<string, Cidr>()
  for (const key of ['subnet', 'subnet6'] as const) {
    const text = set[key]
    if (text === undefined) continue
    const subnet = readCidr(text)
    subnets.set(key, subnet)
    if (subnet.value === subnet.first) continue
    const hint = `did you mean "${subnetText(subnet)}"?`
    findings.add('W-1006', [...path, key], `${show(text)} is an address in a subnet, not a subnet`, { hint })
  }
  return subnets
}

/** Undefined when a subnet is used up. */
function addressesOf(
  set: EndpointSet,
  subnets: ReadonlyMap<string, Cidr>,
  i: number,
  name: string,
  path: Path,
  { findings }: LabContext,
): PlacedAddress[] | undefined {
  const addresses: PlacedAddress[] = []
  for (const [key, subnet] of subnets) {
    const address = addressAt(subnet, set.first + i)
    if (address === undefined) {
      const text = `${subnetText(subnet)} has no address left for ${name}, ${set.first + i} after its first`
      findings.add('W-1110', [...path, key], text)
      return undefined
    }
    addresses.push({ cidr: `${address}/${subnet.prefix}`, path: [...path, key] })
  }
  return addresses
}

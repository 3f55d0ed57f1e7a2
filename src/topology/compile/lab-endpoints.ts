import type { LabEndpoint } from '../lab-spec.js'
import type { Path } from '../problem.js'
import type { Endpoint } from '../schema/lab.js'
import { show } from '../words.js'
import { hostProblem, readCidr, stationProblem } from './cidr.js'
import { addImpliedPort } from './implied-port.js'
import { plugBehind } from './lab-bridges.js'
import type { EndpointContext, LabContext } from './lab-context.js'
import { EndpointTable, type PlacedAddress } from './lab-endpoint-table.js'
import { expandSets } from './lab-sets.js'
import type { CompiledNetwork } from './networks.js'
import { addWithoutUnderlay } from './nodes.js'
import { checkStation } from './stations.js'

/** Endpoints in file order, then those of the sets; their ports join the networks. */
export function compileEndpoints(context: EndpointContext): ReadonlyMap<string, LabEndpoint> {
  const table = new EndpointTable(context)
  for (const [name, endpoint] of Object.entries(context.lab.endpoints)) {
    const path = ['lab', 'endpoints', name]
    const plug = plugOf(name, endpoint, path, context)
    if (!plug) table.reserve(name)
    else {
      const mac = macOf(endpoint, path, context)
      const addresses = addressesOf(endpoint, path, context)
      const own = { ...(mac ? { mac } : {}), addresses, ...(endpoint.mtu ? { mtu: endpoint.mtu } : {}) }
      table.add({ name, ...plug, ...own }, path)
    }
  }
  expandSets(context, table)
  return table.endpoints
}

export interface Plug {
  readonly node: string
  readonly interface: string
  readonly bridge?: string
  readonly network: CompiledNetwork
}

/** Where the endpoint goes in: a port of the file, or one that it brings along. */
function plugOf(name: string, { attach }: Endpoint, path: Path, context: EndpointContext): Plug | undefined {
  const { networks, nodes, findings } = context
  const where = [...path, 'attach']
  const node = nodes.get(attach.node)
  if (!node) findings.unknown('node', attach.node, [...where, 'node'], nodes.keys())
  else if (!node.spec.underlay) addWithoutUnderlay(attach.node, [...where, 'node'], findings)
  if (attach.interface === undefined && attach.bridge === undefined && attach.network === undefined) {
    findings.add('W-1001', where, 'an endpoint needs an `interface`, a `bridge` or a `network`')
  }
  if (attach.interface !== undefined && attach.bridge !== undefined) {
    findings.add('W-1006', [...where, 'bridge'], 'an endpoint has an `interface` or a `bridge`, not both')
    return undefined
  }
  const network = attach.network === undefined ? undefined : networks.byName.get(attach.network)
  if (attach.network !== undefined && !network) {
    findings.unknown('network', attach.network, [...where, 'network'], networks.byName.keys())
    return undefined
  }
  if (!node?.spec.underlay) return undefined
  const { bridge } = attach
  if (bridge !== undefined) return plugBehind({ name, node: attach.node, bridge, network }, where, context)
  return plugInto({ name, node: attach.node, device: attach.interface, network }, where, context)
}

interface Wish {
  readonly name: string
  readonly node: string
  readonly device: string | undefined
  readonly network: CompiledNetwork | undefined
}

function plugInto(wish: Wish, path: Path, context: LabContext): Plug | undefined {
  const { networks, findings } = context
  if (wish.device !== undefined) {
    const owner = networks.byName.get(networks.ports.networkOf(wish.node, wish.device) ?? '')
    if (owner && (!wish.network || wish.network === owner)) {
      return { node: wish.node, interface: wish.device, network: owner }
    }
    if (!owner && !wish.network) {
      const name = `${wish.node}/${wish.device}`
      findings.unknown('port', name, [...path, 'interface'], networks.ports.names(), ' in any network')
      return undefined
    }
  }
  if (!wish.network) return undefined
  const device = wish.device ?? wish.name
  const paths = {
    node: [...path, 'node'],
    ...(wish.device
      ? { interface: [...path, 'interface'] }
      : { interface: path.slice(0, -1), at: 'key' as const }),
  }
  const made = addImpliedPort({ node: wish.node, interface: device }, wish.network, paths, context)
  return made ? { node: wish.node, interface: device, network: wish.network } : undefined
}

function macOf({ mac }: Endpoint, path: Path, { findings }: LabContext): string | undefined {
  if (mac === undefined) return undefined
  checkStation(mac.toLowerCase(), [...path, 'mac'], findings)
  return mac.toLowerCase()
}

function addressesOf(endpoint: Endpoint, path: Path, { findings }: LabContext): PlacedAddress[] {
  const written: [string, Path][] = (endpoint.addresses ?? []).map((text, i) => [
    text,
    [...path, 'addresses', i],
  ])
  if (endpoint.address !== undefined) written.unshift([endpoint.address, [...path, 'address']])
  return written.map(([text, where]) => {
    const cidr = readCidr(text)
    const problem = stationProblem(cidr.ip, text.split('/')[0] ?? '') ?? hostProblem(cidr)
    if (problem) findings.add('W-1006', where, `${show(text)} ${problem}`)
    return { cidr: `${cidr.ip}/${cidr.prefix}`, path: where }
  })
}

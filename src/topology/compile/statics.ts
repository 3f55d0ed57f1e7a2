import type { PortSpec, StaticSpec } from '../../model/desired-state.js'
import { canonicalIp, type Ip } from '../../model/ip.js'
import type { Path } from '../problem.js'
import type { Network } from '../schema/networks.js'
import { show } from '../words.js'
import { covers, stationProblem } from './cidr.js'
import type { Findings } from './findings.js'
import { addNotMember, type CompileContext } from './nodes.js'
import { checkStation } from './stations.js'

interface StaticScope {
  /** Of the network. */
  readonly path: Path
  readonly members: ReadonlySet<string>
  readonly remotes: ReadonlySet<Ip>
  readonly ports: readonly PortSpec[]
  readonly context: CompileContext
}

export function compileStatics(network: Network, scope: StaticScope): StaticSpec[] {
  const { findings } = scope.context
  const owners = new Map<string, string>()
  const addresses = new Map<string, string>()
  return network.static.map((entry, index) => {
    const path = [...scope.path, 'static', index]
    const mac = entry.mac.toLowerCase()
    checkStation(mac, [...path, 'mac'], findings)
    const owner = owners.get(mac)
    if (owner !== undefined) findings.add('W-1105', [...path, 'mac'], `${mac} is static at ${owner} already`)
    else owners.set(mac, entry.node ?? entry.remote ?? 'another place')
    const spec = { mac, ...ipOf(entry.ip, path, findings), ...placeOf(entry, path, scope) }
    const holder = spec.ip === undefined ? undefined : addresses.get(spec.ip)
    if (holder !== undefined && holder !== mac) {
      findings.add('W-1102', [...path, 'ip'], `${spec.ip} goes with ${holder} already`)
    } else if (spec.ip !== undefined) addresses.set(spec.ip, mac)
    checkGuards(spec, path, scope)
    return spec
  })
}

/** Frames of a MAC that its own ports keep out would never be heard. */
function checkGuards({ mac, ip, node }: StaticSpec, path: Path, { ports, context }: StaticScope): void {
  const own = ports.filter((port) => port.node === node)
  if (own.length === 0) return
  const refers = { kind: 'port', name: '' } as const
  const letting = own.filter(({ macs }) => !macs || macs.includes(mac))
  if (letting.length === 0) {
    const text = `${mac} is not among the \`macs\` of any port of ${node} in this network`
    context.findings.add('W-1100', [...path, 'mac'], text, { refers })
  } else if (
    ip !== undefined &&
    !letting.some(({ addresses }) => !addresses || covers(addresses, ip as Ip))
  ) {
    const text = `${ip} is not among the \`addresses\` of any port of ${node} where ${mac} may speak`
    context.findings.add('W-1100', [...path, 'ip'], text, { refers })
  }
}

function ipOf(written: string | undefined, path: Path, findings: Findings): { ip?: string } {
  if (written === undefined) return {}
  const ip = canonicalIp(written)
  const problem = stationProblem(ip, written)
  if (problem) findings.add('W-1006', [...path, 'ip'], `${show(written)} ${problem}`)
  return { ip }
}

type Place = { readonly node: string } | { readonly remote: string } | Record<never, never>

function placeOf(
  entry: Network['static'][number],
  path: Path,
  { members, remotes, path: networkPath, context }: StaticScope,
): Place {
  const { nodes, findings } = context
  if (entry.node !== undefined && entry.remote !== undefined) {
    findings.add('W-1006', [...path, 'remote'], 'a static MAC has a `node` or a `remote`, not both')
    return {}
  }
  if (entry.node !== undefined) {
    const where = [...path, 'node']
    if (!nodes.has(entry.node)) findings.unknown('node', entry.node, where, nodes.keys())
    else if (!members.has(entry.node)) addNotMember(entry.node, String(networkPath.at(-1)), where, findings)
    return { node: entry.node }
  }
  if (entry.remote === undefined) {
    findings.add('W-1001', path, 'a static MAC needs a `node` or a `remote`')
    return {}
  }
  const remote = canonicalIp(entry.remote)
  if (!remotes.has(remote)) {
    findings.unknown('remote', remote, [...path, 'remote'], remotes, ' among the remotes of this network')
  }
  return { remote }
}

import type { StaticSpec } from '../../model/desired-state.js'
import { canonicalIp, type Ip } from '../../model/ip.js'
import { isStation, parseMac } from '../../model/mac.js'
import type { Path } from '../problem.js'
import type { Network } from '../schema/networks.js'
import { show } from '../words.js'
import { stationProblem } from './cidr.js'
import type { Findings } from './findings.js'
import { addNotMember, type CompileContext } from './nodes.js'

interface StaticScope {
  /** Of the network. */
  readonly path: Path
  readonly members: ReadonlySet<string>
  readonly remotes: ReadonlySet<Ip>
  readonly context: CompileContext
}

export function compileStatics(network: Network, scope: StaticScope): StaticSpec[] {
  const { findings } = scope.context
  const owners = new Map<string, string>()
  return network.static.map((entry, index) => {
    const path = [...scope.path, 'static', index]
    const mac = entry.mac.toLowerCase()
    checkStation(mac, [...path, 'mac'], findings)
    const owner = owners.get(mac)
    if (owner !== undefined) findings.add('W-1105', [...path, 'mac'], `${mac} is static at ${owner} already`)
    else owners.set(mac, entry.node ?? entry.remote ?? 'another place')
    return { mac, ...ipOf(entry.ip, path, findings), ...placeOf(entry, path, scope) }
  })
}

export function checkStation(mac: string, path: Path, findings: Findings): void {
  const value = parseMac(mac)
  if (value !== undefined && isStation(value)) return
  findings.add(
    'W-1006',
    path,
    `${mac} is ${value === 0 ? 'zero' : 'a group address'}, which no host can have`,
  )
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

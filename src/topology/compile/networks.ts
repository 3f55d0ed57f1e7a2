import type { NetworkSpec, PortSpec, UnderlaySpec } from '../../model/desired-state.js'
import { canonicalIp, type Ip, isIpv4 } from '../../model/ip.js'
import type { Path } from '../problem.js'
import type { Network } from '../schema/networks.js'
import { show } from '../words.js'
import { stationProblem } from './cidr.js'
import { milliseconds } from './durations.js'
import type { Findings } from './findings.js'
import { groupHint, groupProblem } from './group.js'
import { type CompileContext, selectNodes } from './nodes.js'
import { compilePorts } from './port-list.js'
import { PortTable } from './ports.js'
import { compileStatics } from './statics.js'

export interface CompiledNetwork {
  readonly spec: Omit<NetworkSpec, 'ports'>
  /** The lab adds those of its endpoints. */
  readonly ports: PortSpec[]
  readonly members: ReadonlySet<string>
}

export interface Networks {
  readonly byName: ReadonlyMap<string, CompiledNetwork>
  readonly ports: PortTable
}

const MAX_NETWORKS = 4096
const DAY_MS = 24 * 3_600_000

export function compileNetworks(context: CompileContext): Networks {
  const { topology, nodes, findings } = context
  const byName = new Map<string, CompiledNetwork>()
  const ports = new PortTable(nodes, findings)
  const vnis = new Map<number, string>()
  const entries = Object.entries(topology.networks)
  if (entries.length > MAX_NETWORKS) {
    findings.add('W-1111', ['networks'], `more than ${MAX_NETWORKS} networks`, { at: 'key' })
    return { byName, ports }
  }
  for (const [name, network] of entries) {
    const owner = vnis.get(network.vni)
    const path = ['networks', name]
    if (owner)
      findings.add('W-1104', [...path, 'vni'], `VNI ${network.vni} belongs to network ${owner} already`)
    else vnis.set(network.vni, name)
    byName.set(name, compileNetwork(name, network, ports, context))
  }
  return { byName, ports }
}

function compileNetwork(
  name: string,
  network: Network,
  table: PortTable,
  context: CompileContext,
): CompiledNetwork {
  const path = ['networks', name]
  const members = selectNodes(network.members, [...path, 'members'], context)
  checkFamilies(members, path, context)
  const ports = compilePorts(name, network, members, table, context)
  const remotes = compileRemotes(network, members, path, context)
  return {
    members,
    ports,
    spec: {
      name,
      vni: network.vni,
      ...floodOf(network, members, path, context),
      learning: network.learning,
      mac_ageing_s: ageing(network.mac_ageing, [...path, 'mac_ageing'], context.findings),
      arp: network.arp,
      mtu: network.mtu,
      mac_limit: limit(network.mac_limit),
      bum_limit: limit(network.bum_limit),
      ra_guard: network.ra_guard,
      fast_path: network.fast_path,
      static: compileStatics(network, { path, members, remotes, ports, context }),
      remotes: [...remotes],
    },
  }
}

function limit(written: number | 'none'): number {
  return written === 'none' ? 0 : written
}

type Flood = Pick<NetworkSpec, 'mode' | 'flood' | 'group'>

function floodOf(network: Network, members: ReadonlySet<string>, of: Path, context: CompileContext): Flood {
  if (network.mode === 'unicast') return { mode: network.mode, flood: network.flood }
  const path = [...of, 'group']
  const group = canonicalIp(network.group)
  const problem = groupProblem(group, network.group)
  const [member] = members
  const family = context.nodes.get(member ?? '')?.spec.underlay?.address
  if (problem) context.findings.add('W-1006', path, `${show(network.group)} ${problem.text}`, problem)
  else if (family !== undefined && isV4(family) !== isIpv4(group)) {
    const text = `${group} cannot be joined from ${family}, the underlay of ${member}`
    context.findings.add('W-1113', path, text, { hint: groupHint(isV4(family)) })
  }
  return { mode: network.mode, flood: 'group', group }
}

function ageing(text: string, path: Path, findings: Findings): number {
  const ms = milliseconds(text)
  if (ms < 1000 || ms > DAY_MS) findings.add('W-1004', path, `${text} is not between 1s and 24h`)
  return Math.round(ms / 1000)
}

/** One outer header for all: a network cannot span IPv4 and IPv6 underlays. */
function checkFamilies(members: ReadonlySet<string>, path: Path, context: CompileContext): void {
  if (!context.mixed.has(members)) context.mixed.set(members, mixedFamilies(members, context))
  const mixed = context.mixed.get(members)
  if (mixed) context.findings.add('W-1113', path, mixed, { at: 'key' })
}

function mixedFamilies(members: ReadonlySet<string>, { nodes }: CompileContext): string | undefined {
  let first: UnderlaySpec | undefined
  for (const name of members) {
    const underlay = nodes.get(name)?.spec.underlay
    first ??= underlay
    if (!underlay || !first || isV4(underlay.address) === isV4(first.address)) continue
    return `the members have underlays of both families, as ${first.address} and ${underlay.address} of ${name}`
  }
  return undefined
}

function compileRemotes(network: Network, members: ReadonlySet<string>, of: Path, context: CompileContext) {
  const remotes = new Set<Ip>()
  for (const [index, written] of network.remotes.entries()) {
    const path = [...of, 'remotes', index]
    const ip = canonicalIp(written)
    const problem = stationProblem(ip, written)
    const [member] = members
    const family = context.nodes.get(member ?? '')?.spec.underlay?.address
    const owner = context.vteps.get(ip)
    if (problem) context.findings.add('W-1006', path, `${show(written)} ${problem}`)
    else if (owner)
      context.findings.add('W-1102', path, `${ip} is the address of node ${owner}, which is no remote`)
    else if (remotes.has(ip)) context.findings.add('W-1102', path, `${ip} is listed twice`)
    else if (family !== undefined && isV4(family) !== isIpv4(ip)) {
      context.findings.add(
        'W-1113',
        path,
        `${ip} cannot be reached from ${family}, the underlay of ${member}`,
      )
    } else remotes.add(ip)
  }
  return remotes
}

function isV4(address: string): boolean {
  return isIpv4(address as Ip)
}

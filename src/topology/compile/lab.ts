import { type Ip, vxlanOverhead } from '../../model/ip.js'
import type { LabSegment, LabSpec } from '../lab-spec.js'
import { lab as labSchema } from '../schema/lab.js'
import { BridgeTable } from './lab-bridges.js'
import { compileChecks } from './lab-checks.js'
import type { LabContext } from './lab-context.js'
import { compileEndpoints } from './lab-endpoints.js'
import { compileMoves } from './lab-moves.js'
import { compileSegments } from './lab-segments.js'
import { compileTraffic } from './lab-traffic.js'
import type { Networks } from './networks.js'
import type { CompileContext } from './nodes.js'

/** The lab of a file; one that names no lab gets its nodes on one bridge and no endpoints. */
export function compileLab(base: CompileContext, networks: Networks): LabSpec {
  const lab = base.topology.lab ?? labSchema.parse({})
  const segments = compileSegments(lab, base)
  const underlayMtu = mtus(segments)
  const context: LabContext = { ...base, lab, networks, underlayMtu }
  checkBudget(context)
  const bridges = new BridgeTable(context)
  const withBridges = { ...context, bridges }
  const endpoints = compileEndpoints(withBridges)
  compileMoves(withBridges, endpoints)
  return {
    segments,
    bridges: bridges.bridges,
    endpoints: [...endpoints.values()],
    traffic: compileTraffic(context, endpoints),
    checks: compileChecks(context, endpoints),
  }
}

function mtus(segments: readonly LabSegment[]): Map<string, number> {
  return new Map(segments.flatMap(({ members, mtu }) => members.map((node) => [node, mtu] as const)))
}

/** Underlay MTU ≥ network MTU + overhead. In production the node checks it, which knows its devices. */
function checkBudget(context: LabContext): void {
  const rooms = new Map<ReadonlySet<string>, Room | undefined>()
  for (const { spec, members } of context.networks.byName.values()) {
    if (!rooms.has(members)) rooms.set(members, leastRoom(members, context))
    const room = rooms.get(members)
    if (spec.mtu === 'auto' || !room || spec.mtu <= room.underlay - room.overhead) continue
    const text = `MTU ${spec.mtu} and ${room.overhead} bytes of tunnel headers are over ${room.underlay}, the MTU of the underlay of ${room.node}`
    context.findings.add('W-1106', ['networks', spec.name, 'mtu'], text)
  }
}

interface Room {
  readonly node: string
  readonly underlay: number
  readonly overhead: number
}

/** Of the member whose underlay leaves the least to the network. */
function leastRoom(members: ReadonlySet<string>, { nodes, underlayMtu }: LabContext): Room | undefined {
  let least: Room | undefined
  for (const node of members) {
    const underlay = underlayMtu.get(node)
    const address = nodes.get(node)?.spec.underlay?.address
    if (underlay === undefined || address === undefined) continue
    const overhead = vxlanOverhead(address as Ip)
    if (!least || underlay - overhead < least.underlay - least.overhead) least = { node, underlay, overhead }
  }
  return least
}

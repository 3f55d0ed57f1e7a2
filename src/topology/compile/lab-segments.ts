import type { LabSegment } from '../lab-spec.js'
import type { Lab } from '../schema/lab.js'
import { subnetText } from './cidr.js'
import { type CompileContext, type CompiledNode, selectNodes } from './nodes.js'
import { addressPath } from './underlay.js'

const DEFAULT_SEGMENT = 'fabric'
const DEFAULT_MTU = 1500

/** The underlay of the lab: every node with an underlay is on exactly one segment. */
export function compileSegments(lab: Lab, context: CompileContext): LabSegment[] {
  const entries = Object.entries(lab.segments)
  const all = [...selectNodes(undefined, ['nodes'], context)]
  if (entries.length === 0) {
    checkReach(all, context)
    return [{ name: DEFAULT_SEGMENT, kind: 'bridge', members: all, mtu: DEFAULT_MTU }]
  }
  const owners = new Map<string, string>()
  const segments = entries.map(([name, segment]): LabSegment => {
    const path = ['lab', 'segments', name]
    const members = [...selectNodes(segment.members, [...path, 'members'], context)]
    if (context.nodes.has(name)) {
      context.findings.add('W-1112', path, `${name} is the name of a node; a segment needs another`, {
        at: 'key',
      })
    }
    for (const node of members) {
      const owner = owners.get(node)
      if (owner) context.findings.add('W-1103', path, `${node} is on segment ${owner} already`, { at: 'key' })
      else owners.set(node, name)
    }
    checkReach(members, context)
    return { name, kind: segment.kind, members, mtu: segment.mtu }
  })
  for (const node of all) {
    if (owners.has(node)) continue
    const refers = { kind: 'segment', name: '' } as const
    context.findings.add('W-1113', ['lab', 'segments'], `${node} is on no segment, so no tunnel reaches it`, {
      at: 'key',
      refers,
    })
  }
  return segments
}

/** A bridge has no router: its members share a subnet. */
function checkReach(members: readonly string[], { nodes, findings }: CompileContext): void {
  let first: CompiledNode | undefined
  for (const name of members) {
    const node = nodes.get(name)
    if (!node?.cidr) continue
    first ??= node
    if (!first.cidr || subnetText(first.cidr) === subnetText(node.cidr)) continue
    const text = `${name} in ${subnetText(node.cidr)} cannot reach ${first.spec.name} in ${subnetText(first.cidr)}; a bridge has no router`
    findings.add('W-1113', addressPath(node), text)
    return
  }
}

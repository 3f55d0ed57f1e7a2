import type { Ip } from '../../model/ip.js'
import type { NodeState } from '../../model/segment-table.js'

/** PURE: the multicast groups that this node's segments flood to, each once. */
export function wantedGroups({ segments }: NodeState): ReadonlySet<Ip> {
  return new Set([...segments.values()].flatMap(({ spec }) => spec.group ?? []))
}

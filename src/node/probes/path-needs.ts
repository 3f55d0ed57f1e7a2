import { type Ip, vxlanOverhead } from '../../model/ip.js'
import type { NodeState } from '../../model/segment-table.js'
import type { Failure, PathState } from '../../rpc/records.js'
import type { PlacedPort } from '../reconcile/placement.js'
import type { PathNeed } from './path-plan.js'

/** PURE: to each other VTEP of this node's segments, the largest that any of them sends. */
export function pathNeeds(state: NodeState, ports: readonly PlacedPort[]): Map<Ip, PathNeed> {
  const needs = new Map<Ip, PathNeed>()
  for (const { vni, mtu } of ports) {
    for (const vtep of state.segments.get(vni)?.spec.members ?? []) {
      if (vtep === state.assignment.vtep) continue
      const known = needs.get(vtep)
      if (!known || known.mtu < mtu) needs.set(vtep, { vni, mtu })
    }
  }
  return needs
}

/** PURE: what of it the user must know. */
export function pathFailures(paths: readonly PathState[]): Failure[] {
  return paths
    .filter(({ state }) => state === 'too_small')
    .map(({ vtep, path_mtu: mtu, wanted_mtu: wanted }) => {
      const overhead = vxlanOverhead(vtep)
      return {
        code: 'W-2122',
        what: `path to ${vtep}`,
        message:
          `frames with up to ${mtu} bytes come through to ${vtep}, networks need ${wanted}: the underlay carries ` +
          `${mtu + overhead} of the ${wanted + overhead} = ${wanted} + ${overhead} (VXLAN) bytes on the way there`,
        next: `raise the MTU of the path to ${wanted + overhead}, or set mtu: ${mtu} on the networks`,
      }
    })
}

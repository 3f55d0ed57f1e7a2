import { isIpv4 } from '../../model/ip.js'
import type { NodeState } from '../../model/segment-table.js'
import type { Device } from './placement.js'

/** Where the fast path runs, or why it does not. */
export type FastPath =
  | { readonly state: 'on'; readonly ifindex: number; readonly interface: string }
  | { readonly state: 'off'; readonly reason: string }

/** PURE: decided for the node; each network may still go without. */
export function decideFastPath(
  { assignment, segments }: NodeState,
  devices: ReadonlyMap<string, Device>,
  missing: string | undefined,
): FastPath {
  const { underlay_dev: name, vtep } = assignment
  const device = devices.get(name)
  if (missing !== undefined) return off(missing)
  if (![...segments.values()].some(({ spec }) => spec.fast_path)) return off('no network wants it')
  if (!device) return off(name === '' ? 'no underlay' : `underlay device ${name} does not exist`)
  if (!isIpv4(vtep)) return off('the underlay is IPv6')
  if (device.mac === undefined) return off(`underlay device ${name} carries no Ethernet`)
  return { state: 'on', ifindex: device.ifindex, interface: name }
}

function off(reason: string): FastPath {
  return { state: 'off', reason }
}

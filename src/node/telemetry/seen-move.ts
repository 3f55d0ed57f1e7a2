import type { Ip } from '../../model/ip.js'
import type { Place } from '../../rpc/questions.js'
import { EventKind, type MacEvent, MacEventFlag } from '../bpf/abi.gen.js'
import type { NodeStatus } from '../status.js'
import type { SeenMove } from './learned-journal.js'

/** The move that an event tells of, by names of now; none where the controller keeps the journal. Pure. */
export function seenMove(
  event: MacEvent,
  { applied, ports }: Pick<NodeStatus, 'applied' | 'ports'>,
): SeenMove | undefined {
  const { kind, vni, mac, flags, atNs } = event
  if (kind !== EventKind.EVENT_MAC_MOVED || applied?.segments.get(vni)?.spec.claim_macs !== false)
    return undefined
  const placeOf = (ifindex: number, vtep: Ip): Place => {
    if (ifindex === 0) return { vtep }
    return { interface: ports.find((port) => port.ifindex === ifindex)?.interface ?? `ifindex ${ifindex}` }
  }
  return {
    atNs,
    vni,
    mac,
    from: placeOf(event.fromIfindex, event.fromVtep),
    to: placeOf(event.ifindex, event.vtep),
    announced: (flags & MacEventFlag.MAC_ANNOUNCED) !== 0,
  }
}

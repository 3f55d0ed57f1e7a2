import { type CountedVerdict, type DataplaneRig, readUntil } from './dataplane-rig.js'
import { ethernet, ipv4, ipv6, mac, vxlan } from './frames.js'
import { routerMac, underlayMac } from './rig-network.js'
import { vni, vtep } from './stations.js'
import type { Tap } from './tap.js'

/** How a frame comes to this node: from which VTEP, to which address of the underlay, in which segment. */
export interface Through {
  readonly from?: string
  readonly to?: string
  readonly vni?: number
}

/** Sends an encapsulated frame from the underlay, through the real VXLAN device; what was counted. */
export function receiveThrough(rig: DataplaneRig, inner: Uint8Array, opts: Through = {}): CountedVerdict[] {
  return [...rig.observe(() => sendAndCount(rig, encapsulated(inner, opts))).verdicts]
}

/** The frame of the underlay that carries `inner`. */
export function encapsulated(inner: Uint8Array, opts: Through = {}): Uint8Array {
  const from = opts.from ?? vtep
  const datagram = vxlan(opts.vni ?? vni, inner)
  const packet = from.includes(':')
    ? ipv6({ from, to: opts.to ?? '2001:db8::1' }, datagram)
    : ipv4({ from, to: opts.to ?? '192.0.2.1' }, datagram)
  return ethernet({ from: mac(routerMac), to: mac(underlayMac) }, packet)
}

/** Through the underlay, and on until a program has counted it. */
export function sendAndCount(rig: DataplaneRig, frame: Uint8Array): void {
  const before = rig.countedPackets()
  rig.underlay.send(frame)
  readUntil(
    () => rig.countedPackets(),
    (packets) => packets > before,
  )
}

/** What came out of the port. A redirect is carried out after it was counted. */
export function deliveredBy(tap: Tap): Uint8Array[] {
  return readUntil(
    () => tap.received(),
    (frames) => frames.length > 0,
  )
}

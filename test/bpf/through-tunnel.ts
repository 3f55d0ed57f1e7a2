import { type Ip, ipToBytes } from '../../src/model/ip.js'
import type { Mac } from '../../src/model/mac.js'
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
  /** Of the outer header. */
  readonly trafficClass?: number
}

/** Sends an encapsulated frame from the underlay, through the real VXLAN device; what was counted. */
export function receiveThrough(rig: DataplaneRig, inner: Uint8Array, opts: Through = {}): CountedVerdict[] {
  return [...rig.observe(() => sendAndCount(rig, encapsulated(inner, opts))).verdicts]
}

/** The frame of the underlay that carries `inner`. */
export function encapsulated(inner: Uint8Array, opts: Through = {}): Uint8Array {
  const from = opts.from ?? vtep
  const datagram = vxlan(opts.vni ?? vni, inner)
  const isIpv6 = from.includes(':')
  const to = opts.to ?? (isIpv6 ? '2001:db8::1' : '192.0.2.1')
  const outer = { from, to, trafficClass: opts.trafficClass ?? 0 }
  const packet = isIpv6 ? ipv6(outer, datagram) : ipv4(outer, datagram)
  return ethernet({ from: mac(routerMac), to: groupMac(to) ?? mac(underlayMac) }, packet)
}

/** The MAC of a multicast address (RFC 1112 6.4, RFC 2464 7). */
export function groupMac(address: string): Mac | undefined {
  const bytes = ipToBytes(address as Ip)
  const isIpv4 = address.includes('.')
  const [prefix, from] = isIpv4 ? [0x01_00_5e_00_00_00, 13] : [0x33_33_00_00_00_00, 12]
  if (isIpv4 ? bytes[12]! >> 4 !== 14 : bytes[0] !== 255) return undefined
  const low = bytes.subarray(from).reduce((value, byte) => value * 256 + byte, 0)
  return (prefix + (isIpv4 ? low % 2 ** 23 : low)) as Mac
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

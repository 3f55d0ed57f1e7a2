import { ipFromBytes, ipToBytes } from '../../src/model/ip.js'
import { type Mac, readMac, writeMac } from '../../src/model/mac.js'
import { ethernet, ipv6, type Packet, type Segment } from './frames.js'

/** ARP, neighbour discovery and IPv6 extensions, in every form that a guard or an answer has to tell apart. */

export const arpOperation = { request: 1, reply: 2, reverseReply: 4 } as const

export interface ArpFields {
  readonly operation?: number
  readonly from: Mac
  readonly fromIp: string
  readonly to?: Mac
  readonly toIp: string
  readonly hardware?: number
  /** RARP has another. */
  readonly etherType?: number
}

export function arpPacket(at: ArpFields): Packet {
  const bytes = new Uint8Array(28)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, at.hardware ?? 1)
  view.setUint16(2, 0x0800)
  bytes.set([6, 4], 4)
  view.setUint16(6, at.operation ?? arpOperation.request)
  writeMac(at.from, bytes, 8)
  bytes.set(ipv4Bytes(at.fromIp), 14)
  writeMac(at.to ?? (0 as Mac), bytes, 18)
  bytes.set(ipv4Bytes(at.toIp), 24)
  return { etherType: at.etherType ?? 0x0806, bytes }
}

export const ndType = { routerSolicitation: 133, routerAdvertisement: 134, advertisement: 136, redirect: 137 }
export const ndFlag = { router: 0x80, solicited: 0x40, override: 0x20 }

/** A solicitation as a station asks everybody by: to the group of its target, with its MAC. */
export function asksAll(at: {
  from: Mac
  fromIp: string
  target: string
  options?: Uint8Array[]
}): Uint8Array {
  const target = ipToBytes(at.target as never)
  const group = Uint8Array.of(0xff, 2, ...new Uint8Array(9), 1, 0xff, ...target.subarray(13))
  const to = readMac(Uint8Array.of(0x33, 0x33, ...group.subarray(12)))
  const options = at.options ?? [linkOption(1, at.from)]
  const segment = solicitation({ target: at.target, options })
  return ethernet(
    { from: at.from, to },
    ipv6({ from: at.fromIp, to: ipFromBytes(group), hopLimit: 255 }, segment),
  )
}

/** A link-layer address option: 1 is the source's, 2 the target's. */
export function linkOption(type: number, mac: Mac): Uint8Array {
  const bytes = Uint8Array.of(type, 1, 0, 0, 0, 0, 0, 0)
  writeMac(mac, bytes, 2)
  return bytes
}

export function solicitation(at: { target: string; options?: readonly Uint8Array[] }): Segment {
  return icmp6(135, join(new Uint8Array(4), ipToBytes(at.target as never), ...(at.options ?? [])))
}

export function advertisement(at: {
  target: string
  flags?: number
  options?: readonly Uint8Array[]
}): Segment {
  const flags = Uint8Array.of(at.flags ?? 0, 0, 0, 0)
  return icmp6(ndType.advertisement, join(flags, ipToBytes(at.target as never), ...(at.options ?? [])))
}

export function routerAdvertisement(...options: readonly Uint8Array[]): Segment {
  return icmp6(ndType.routerAdvertisement, join(new Uint8Array(12), ...options))
}

/** An ICMPv6 message; `body` is what follows its checksum. */
export function icmp6(type: number, body: Uint8Array, code = 0): Segment {
  return { protocol: 58, bytes: join(Uint8Array.of(type, code, 0, 0), body), checksumAt: 2 }
}

/** An options or routing header (RFC 8200 4) of `units` times 8 bytes before `inner`. */
export function extended(protocol: number, inner: Segment, units = 1): Segment {
  const header = new Uint8Array(8 * units)
  header.set([inner.protocol, units - 1])
  if (protocol !== 43) header.set([1, 8 * units - 4], 2) // one padding option
  return { protocol, bytes: join(header, inner.bytes) }
}

/** One fragment of `inner` (RFC 8200 4.5); `offset` in bytes. */
export function fragment6(inner: Segment, offset: number, more: boolean, bytes = inner.bytes): Segment {
  const field = offset | Number(more)
  return { protocol: 44, bytes: join([inner.protocol, 0, field >>> 8, field & 255, 0, 0, 0, 7], bytes) }
}

function join(...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

function ipv4Bytes(text: string): Uint8Array {
  return ipToBytes(text as never).subarray(12)
}

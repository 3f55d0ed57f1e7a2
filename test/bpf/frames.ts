import { ipFromBytes, ipToBytes } from '../../src/model/ip.js'
import { type Mac, parseMac, writeMac } from '../../src/model/mac.js'

/**
 * Builds frames from the outside in, with right lengths and checksums:
 *
 *     ethernet({ from, to }, vlan(10, ipv4({ from, to }, udp({ from: 68, to: 67 }, data))))
 */

/** What follows an EtherType. */
export interface Packet {
  readonly etherType: number
  readonly bytes: Uint8Array
}

/** What follows an IP header. `checksumAt` is where a checksum over the pseudo header goes. */
export interface Segment {
  readonly protocol: number
  readonly bytes: Uint8Array
  readonly checksumAt?: number
}

/** Text of a MAC in tests: `mac('02:00:00:00:00:01')`. */
export function mac(text: string): Mac {
  const value = parseMac(text)
  if (value === undefined) throw new TypeError(`not a MAC: ${text}`)
  return value
}

export const broadcast = mac('ff:ff:ff:ff:ff:ff')
export const vxlanPort = 4789

const empty = new Uint8Array(0)

/** Padded to 60 bytes, as a device would. */
export function ethernet(at: { from: Mac; to: Mac }, packet: Packet): Uint8Array {
  const frame = new Uint8Array(Math.max(60, 14 + packet.bytes.length))
  writeMac(at.to, frame, 0)
  writeMac(at.from, frame, 6)
  new DataView(frame.buffer).setUint16(12, packet.etherType)
  frame.set(packet.bytes, 14)
  return frame
}

/** Any EtherType; `length` bytes of payload. */
export function payload(length: number, etherType = 0x88b5): Packet {
  return { etherType, bytes: new Uint8Array(length).fill(0x5a) }
}

/** One tag: 802.1Q, or 802.1ad when told so. */
export function vlan(id: number, inner: Packet, tpid = 0x8100): Packet {
  return { etherType: tpid, bytes: concat(u16(id), u16(inner.etherType), inner.bytes) }
}

export function ipv4(
  at: { from: string; to: string; ttl?: number; options?: number; trafficClass?: number },
  segment: Segment,
): Packet {
  const addresses = concat(ipv4Bytes(at.from), ipv4Bytes(at.to))
  const words = 5 + (at.options ?? 0)
  const header = new Uint8Array(4 * words)
  const view = new DataView(header.buffer)
  view.setUint16(0, ((0x40 | words) << 8) | (at.trafficClass ?? 0))
  view.setUint16(2, header.length + segment.bytes.length)
  view.setUint8(8, at.ttl ?? 64)
  view.setUint8(9, segment.protocol)
  header.set(addresses, 12)
  header.fill(1, 20) // no-operation options
  view.setUint16(10, checksum(header))
  const pseudo = concat(addresses, u16(segment.protocol), u16(segment.bytes.length))
  return { etherType: 0x0800, bytes: concat(header, summed(segment, pseudo)) }
}

export function ipv6(
  at: { from: string; to: string; hopLimit?: number; trafficClass?: number },
  segment: Segment,
): Packet {
  const addresses = concat(ipToBytes(at.from as never), ipToBytes(at.to as never))
  const start = concat(u16(0x6000 | ((at.trafficClass ?? 0) << 4)), u16(0), u16(segment.bytes.length), [
    segment.protocol,
    at.hopLimit ?? 64,
  ])
  const pseudo = concat(addresses, u32(segment.bytes.length), u32(segment.protocol))
  return { etherType: 0x86dd, bytes: concat(start, addresses, summed(segment, pseudo)) }
}

export function udp(ports: { from: number; to: number }, data: Uint8Array = empty): Segment {
  const bytes = concat(u16(ports.from), u16(ports.to), u16(8 + data.length), u16(0), data)
  return { protocol: 17, bytes, checksumAt: 6 }
}

export function tcp(ports: { from: number; to: number; seq?: number }, data: Uint8Array = empty): Segment {
  const bytes = concat(
    u16(ports.from),
    u16(ports.to),
    u32(ports.seq ?? 1),
    u32(1),
    u16(0x5010), // 5 words, ACK
    u16(0xffff),
    u32(0),
    data,
  )
  return { protocol: 6, bytes, checksumAt: 16 }
}

/** An ICMP echo request. */
export function icmp(at: { id: number; seq: number }, data: Uint8Array = empty): Segment {
  const bytes = concat(u16(0x0800), u16(0), u16(at.id), u16(at.seq), data)
  new DataView(bytes.buffer).setUint16(2, checksum(bytes))
  return { protocol: 1, bytes }
}

/** An ARP request. */
export function arp(at: { from: Mac; fromIp: string; toIp: string }): Packet {
  const sender = concat(macBytes(at.from), ipv4Bytes(at.fromIp))
  const target = concat(new Uint8Array(6), ipv4Bytes(at.toIp))
  return {
    etherType: 0x0806,
    bytes: concat(u16(1), u16(0x0800), [6, 4], u16(1), sender, target),
  }
}

/** An IPv6 neighbour solicitation, with its source link-layer option (RFC 4861 4.3). */
export function neighbourSolicitation(at: { from: Mac; target: string }): Segment {
  const bytes = concat([135, 0, 0, 0], u32(0), ipToBytes(at.target as never), [1, 1], macBytes(at.from))
  return { protocol: 58, bytes, checksumAt: 2 }
}

/** The UDP datagram that carries `frame` in segment `vni` (RFC 7348 5). */
export function vxlan(vni: number, frame: Uint8Array): Segment {
  const header = concat(u32(0x08000000), u32(vni * 256))
  return udp({ from: 50_000, to: vxlanPort }, concat(header, frame))
}

export interface Encapsulated {
  readonly from: string
  readonly to: string
  readonly ttl: number
  /** DSCP and ECN: TOS of IPv4, traffic class of IPv6. */
  readonly trafficClass: number
  /** Of IPv4; IPv6 routers never fragment. */
  readonly dontFragment: boolean
  readonly sourcePort: number
  readonly udpChecksum: number
  /** Whether the UDP checksum is right; an absent one is not. */
  readonly udpChecksumValid: boolean
  /** Of VXLAN: 0x08 says that the VNI is valid. */
  readonly flags: number
  readonly vni: number
  readonly inner: Uint8Array
}

/** Takes a VXLAN frame of the underlay apart; `undefined` when it is something else. */
export function readVxlan(frame: Uint8Array): Encapsulated | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const etherType = view.getUint16(12)
  const isIpv6 = etherType === 0x86dd
  if (!isIpv6 && etherType !== 0x0800) return undefined
  const protocol = view.getUint8(isIpv6 ? 20 : 23)
  const at = isIpv6 ? 54 : 14 + 4 * (view.getUint8(14) & 15)
  if (protocol !== 17 || view.getUint16(at + 2) !== vxlanPort) return undefined

  const [from, to] = isIpv6 ? [22, 38] : [26, 30]
  const width = isIpv6 ? 16 : 4
  const address = (start: number) => ipText(frame.subarray(start, start + width))
  const datagram = frame.subarray(at, at + view.getUint16(at + 4))
  const pseudo = concat(frame.subarray(from, to + width), u32(datagram.length), u32(17))
  return {
    from: address(from!),
    to: address(to!),
    ttl: view.getUint8(isIpv6 ? 21 : 22),
    trafficClass: isIpv6 ? (view.getUint16(14) >>> 4) & 255 : view.getUint8(15),
    dontFragment: !isIpv6 && (view.getUint16(20) & 0x4000) !== 0,
    sourcePort: view.getUint16(at),
    udpChecksum: view.getUint16(at + 6),
    udpChecksumValid: checksum(concat(pseudo, datagram)) === 0,
    flags: view.getUint32(at + 8),
    vni: view.getUint32(at + 12) >>> 8,
    inner: datagram.subarray(16),
  }
}

function summed(segment: Segment, pseudo: Uint8Array): Uint8Array {
  if (segment.checksumAt === undefined) return segment.bytes
  const bytes = Uint8Array.from(segment.bytes)
  new DataView(bytes.buffer).setUint16(segment.checksumAt, checksum(concat(pseudo, bytes)) || 0xffff)
  return bytes
}

/** The Internet checksum (RFC 1071). */
export function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

export function concat(...parts: readonly (ArrayLike<number> & Iterable<number>)[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function u16(value: number): number[] {
  return [(value >>> 8) & 255, value & 255]
}

export function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value)]
}

function macBytes(value: Mac): Uint8Array {
  const bytes = new Uint8Array(6)
  writeMac(value, bytes)
  return bytes
}

function ipv4Bytes(text: string): Uint8Array {
  return ipToBytes(text as never).subarray(12)
}

export function ipText(bytes: Uint8Array): string {
  return ipFromBytes(bytes.length === 16 ? bytes : concat(new Uint8Array(10), [255, 255], bytes))
}

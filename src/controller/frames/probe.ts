import { isIPv4 } from 'node:net'
import { type Mac, writeMac } from '../../model/mac.js'

const ETHERNET_BYTES = 14
const IPV4_BYTES = 20
const UDP_BYTES = 8
/** IEEE 802 local experimental 1: no station takes it for anything. */
const EXPERIMENTAL = 0x88b5
const IPV4 = 0x0800
/** The discard service (RFC 863). */
const DISCARD = 9

export interface ProbeEnds {
  readonly source: Mac
  readonly destination: Mac
  /** Both IPv4: the probe is UDP to the discard port, as frames that take the fast path are. */
  readonly sourceIp: string | null
  readonly destinationIp: string | null
}

/** PURE: a frame that taps know by its marker, which follows its headers in the byte order of the nodes. */
export function markedFrame(ends: ProbeEnds, marker: bigint, size: number): Uint8Array {
  const { sourceIp, destinationIp } = ends
  const isIp = sourceIp !== null && destinationIp !== null && isIPv4(sourceIp) && isIPv4(destinationIp)
  const frame = new Uint8Array(size)
  const view = new DataView(frame.buffer)
  writeMac(ends.destination, frame, 0)
  writeMac(ends.source, frame, 6)
  view.setUint16(12, isIp ? IPV4 : EXPERIMENTAL)
  if (isIp) writeUdp(view, sourceIp, destinationIp)
  view.setBigUint64(ETHERNET_BYTES + (isIp ? IPV4_BYTES + UDP_BYTES : 0), marker, true)
  return frame
}

function writeUdp(view: DataView, from: string, to: string): void {
  const ip = ETHERNET_BYTES
  const length = view.byteLength - ip
  view.setUint16(ip, 0x4500)
  view.setUint16(ip + 2, length)
  view.setUint8(ip + 8, 64)
  view.setUint8(ip + 9, 17)
  for (const [at, text] of [
    [12, from],
    [16, to],
  ] as const) {
    for (const [i, octet] of text.split('.').entries()) view.setUint8(ip + at + i, Number(octet))
  }
  view.setUint16(ip + 10, checksum(view, ip, IPV4_BYTES))
  view.setUint16(ip + IPV4_BYTES, DISCARD)
  view.setUint16(ip + IPV4_BYTES + 2, DISCARD)
  view.setUint16(ip + IPV4_BYTES + 4, length - IPV4_BYTES) // its checksum stays 0: none
}

/** RFC 1071. */
function checksum(view: DataView, at: number, bytes: number): number {
  let sum = 0
  for (let i = 0; i < bytes; i += 2) sum += view.getUint16(at + i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

import { readMac } from '../../src/model/mac.js'
import { checksum, concat, ipText, u32 } from './frames.js'

export interface IcmpError {
  readonly to: number
  readonly from: number
  readonly tags: Uint8Array
  readonly source: string
  readonly destination: string
  readonly ttl: number
  readonly type: number
  readonly code: number
  readonly mtu: number
  /** Whether each checksum is right, and each length that of the frame. */
  readonly valid: boolean
  readonly quote: Uint8Array
}

/** Takes apart an ICMP or ICMPv6 "packet too big". */
export function readIcmpError(frame: Uint8Array): IcmpError {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  let at = 12
  while ([0x8100, 0x88a8].includes(view.getUint16(at))) at += 4
  const network = at + 2
  const isIpv6 = view.getUint16(at) === 0x86dd
  const icmp = network + (isIpv6 ? 40 : 20)
  const address = (from: number) => ipText(frame.subarray(from, from + (isIpv6 ? 16 : 4)))
  const message = frame.subarray(icmp)
  const pseudo = isIpv6
    ? concat(frame.subarray(network + 8, network + 40), u32(message.length), u32(58))
    : new Uint8Array(0)
  const isHeaderRight = isIpv6
    ? view.getUint16(network + 4) === message.length && view.getUint8(network + 6) === 58
    : checksum(frame.subarray(network, icmp)) === 0 &&
      view.getUint16(network + 2) === frame.length - network &&
      view.getUint8(network + 9) === 1
  return {
    to: readMac(frame, 0),
    from: readMac(frame, 6),
    tags: frame.subarray(12, at),
    source: address(network + (isIpv6 ? 8 : 12)),
    destination: address(network + (isIpv6 ? 24 : 16)),
    ttl: view.getUint8(network + (isIpv6 ? 7 : 8)),
    type: view.getUint8(icmp),
    code: view.getUint8(icmp + 1),
    mtu: view.getUint32(icmp + 4),
    valid: isHeaderRight && checksum(concat(pseudo, message)) === 0,
    quote: frame.subarray(icmp + 8),
  }
}

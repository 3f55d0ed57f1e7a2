/**
 * Writes pcapng (draft-ietf-opsawg-pcapng), little-endian, times in nanoseconds:
 *
 *     section header ── interface ── packet ── packet ── interface ── packet …
 *
 * An interface is described before its first packet. A file that is cut after
 * any block is a valid one. PURE.
 */
const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const PACKET = 6
const MAGIC = 0x1a2b3c4d
const ETHERNET = 1
const COMMENT = 1
const SHB_USERAPPL = 4
const IF_NAME = 2
const IF_TSRESOL = 9
const EPB_FLAGS = 2
const NANOSECONDS = 9

export interface CapturedPacket {
  /** Number of its interface block in the section. */
  readonly interface: number
  /** Nanoseconds since 1970. */
  readonly atNs: bigint
  /** As long as it was. */
  readonly length: number
  readonly bytes: Uint8Array
  readonly direction?: 'in' | 'out'
  readonly comment: string
}

export function sectionHeader(application: string): Uint8Array {
  const fixed = new Uint8Array(16)
  const view = new DataView(fixed.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint16(4, 1, true) // version 1.0
  view.setBigInt64(8, -1n, true) // of a length that nobody knows yet
  return block(SECTION_HEADER, [fixed, ...options([[SHB_USERAPPL, utf8(application)]])])
}

export function interfaceBlock(name: string, snaplen: number): Uint8Array {
  const fixed = new Uint8Array(8)
  const view = new DataView(fixed.buffer)
  view.setUint16(0, ETHERNET, true)
  view.setUint32(4, snaplen, true)
  return block(INTERFACE, [
    fixed,
    ...options([
      [IF_NAME, utf8(name)],
      [IF_TSRESOL, Uint8Array.of(NANOSECONDS)],
    ]),
  ])
}

export function packetBlock(packet: CapturedPacket): Uint8Array {
  const { bytes, length, atNs } = packet
  const fixed = new Uint8Array(20)
  const view = new DataView(fixed.buffer)
  view.setUint32(0, packet.interface, true)
  view.setUint32(4, Number(atNs >> 32n), true)
  view.setUint32(8, Number(atNs & 0xffff_ffffn), true)
  view.setUint32(12, bytes.length, true)
  view.setUint32(16, Math.max(length, bytes.length), true)
  const direction = new Uint8Array(4)
  direction[0] = { in: 1, out: 2, none: 0 }[packet.direction ?? 'none']
  return block(PACKET, [
    fixed,
    padded(bytes),
    ...options([
      [COMMENT, utf8(packet.comment)],
      [EPB_FLAGS, direction],
    ]),
  ])
}

function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = 12 + parts.reduce((sum, part) => sum + part.length, 0)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  let at = 8
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  view.setUint32(at, length, true)
  return bytes
}

function options(all: readonly (readonly [code: number, value: Uint8Array])[]): Uint8Array[] {
  const end = new Uint8Array(4)
  return [
    ...all.flatMap(([code, value]) => {
      const head = new Uint8Array(4)
      new DataView(head.buffer).setUint16(0, code, true)
      new DataView(head.buffer).setUint16(2, value.length, true)
      return [head, padded(value)]
    }),
    end,
  ]
}

/** To 32 bits. */
function padded(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  all.set(bytes)
  return all
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

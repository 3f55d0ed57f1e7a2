import { type Mac, readMac, writeMac } from '../../model/mac.js'

/**
 * PURE: the value of an owner page, the MACs that one VTEP has in one segment.
 *
 *     page  = version u8 (1) | group*
 *     group = name length u8 | interface name | count u16 | count x entry
 *     entry = mac 6 bytes | seq u32 | since u32 (seconds since 1970)
 *
 * Integers are big-endian. 14 bytes a MAC where a key for each would cost etcd
 * hundreds; the VTEP is in the key, so a move is one transaction of two keys.
 */
export interface PageEntry {
  readonly interface: string
  /** How often the MAC has moved. */
  readonly seq: number
  /** At this place since, seconds since 1970. */
  readonly since: number
}

export type OwnerPage = ReadonlyMap<Mac, PageEntry>

/** Bounds what one change rewrites. */
export const MACS_PER_PAGE = 256

const VERSION = 1
const ENTRY = 6 + 4 + 4
const text = { encoder: new TextEncoder(), decoder: new TextDecoder('utf-8', { fatal: true }) }

export function encodePage(page: OwnerPage): Uint8Array {
  const groups = new Map<string, [Mac, PageEntry][]>()
  for (const item of page) {
    const name = item[1].interface
    const group = groups.get(name)
    if (group) group.push(item)
    else groups.set(name, [item])
  }
  const parts = [...groups].map(([name, items]) => ({ name: text.encoder.encode(name), items }))
  const size = parts.reduce((sum, { name, items }) => sum + 1 + name.length + 2 + ENTRY * items.length, 1)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  bytes[0] = VERSION
  let at = 1
  for (const { name, items } of parts) {
    bytes[at] = name.length
    bytes.set(name, at + 1)
    view.setUint16(at + 1 + name.length, items.length)
    at += 3 + name.length
    for (const [mac, { seq, since }] of items) {
      writeMac(mac, bytes, at)
      view.setUint32(at + 6, seq)
      view.setUint32(at + 10, since)
      at += ENTRY
    }
  }
  return bytes
}

/** @throws RangeError or TypeError when the bytes are no page: nothing of it may be used then. */
export function decodePage(bytes: Uint8Array): OwnerPage {
  if (bytes[0] !== VERSION) throw new RangeError(`version ${bytes[0]} of an owner page is unknown`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const page = new Map<Mac, PageEntry>()
  let at = 1
  while (at < bytes.length) {
    const length = view.getUint8(at)
    if (at + 1 + length > bytes.length) throw new RangeError(`interface name cut at byte ${at}`)
    const name = text.decoder.decode(bytes.subarray(at + 1, at + 1 + length))
    const count = view.getUint16(at + 1 + length)
    at += 3 + length
    if (at + ENTRY * count > bytes.length) throw new RangeError(`group of ${count} MACs cut at byte ${at}`)
    for (let i = 0; i < count; i++, at += ENTRY) {
      page.set(readMac(bytes, at), {
        interface: name,
        seq: view.getUint32(at + 6),
        since: view.getUint32(at + 10),
      })
    }
  }
  return page
}

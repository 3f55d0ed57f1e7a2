import { type Ip, ipFromBytes, ipToBytes } from '../../model/ip.js'
import { type Mac, readMac, writeMac } from '../../model/mac.js'

/**
 * PURE: the value of an owner page, the MACs that one VTEP has in one segment.
 *
 *     page    = version u8 | group*
 *     group   = name length u8 | interface name | count u16 | count x entry
 *     entry   = mac 6 bytes | seq u32 | since u32 (seconds since 1970) | addresses
 *     addresses = count u8 | count x (flags u8 | ip 16 bytes)    only in version 2
 *
 * Integers are big-endian. 14 bytes a MAC where a key for each would cost etcd
 * hundreds; the VTEP is in the key, so a move is one transaction of two keys.
 * A page without addresses is written as version 1, which older controllers read.
 */
export interface PageEntry {
  readonly interface: string
  /** How often the MAC has moved. */
  readonly seq: number
  /** At this place since, seconds since 1970. */
  readonly since: number
  /** That its stations were heard to use. */
  readonly addresses: readonly PageAddress[]
}

export interface PageAddress {
  readonly ip: Ip
  readonly router: boolean
}

export type OwnerPage = ReadonlyMap<Mac, PageEntry>

/** Bounds what one change rewrites. */
export const MACS_PER_PAGE = 256
/** So that a station that makes up addresses fills neither pages nor tables. */
export const MAX_ADDRESSES_PER_MAC = 16

const PLAIN = 1
const WITH_ADDRESSES = 2
const ROUTER = 1
const ENTRY = 6 + 4 + 4
const ADDRESS = 1 + 16
const none: readonly PageAddress[] = []
const text = { encoder: new TextEncoder(), decoder: new TextDecoder('utf-8', { fatal: true }) }

export function encodePage(page: OwnerPage): Uint8Array {
  const groups = new Map<string, [Mac, PageEntry][]>()
  let addresses = 0
  for (const item of page) {
    const { interface: name } = item[1]
    addresses += item[1].addresses.length
    const group = groups.get(name)
    if (group) group.push(item)
    else groups.set(name, [item])
  }
  const version = addresses > 0 ? WITH_ADDRESSES : PLAIN
  const entrySize = version === PLAIN ? ENTRY : ENTRY + 1
  const parts = [...groups].map(([name, items]) => ({ name: text.encoder.encode(name), items }))
  const size = parts.reduce((sum, { name, items }) => sum + 3 + name.length + entrySize * items.length, 1)
  const bytes = new Uint8Array(size + ADDRESS * addresses)
  const view = new DataView(bytes.buffer)
  bytes[0] = version
  let at = 1
  for (const { name, items } of parts) {
    bytes[at] = name.length
    bytes.set(name, at + 1)
    view.setUint16(at + 1 + name.length, items.length)
    at += 3 + name.length
    for (const [mac, entry] of items) {
      writeMac(mac, bytes, at)
      view.setUint32(at + 6, entry.seq)
      view.setUint32(at + 10, entry.since)
      at += ENTRY
      if (version === WITH_ADDRESSES) at = writeAddresses(entry.addresses, bytes, at)
    }
  }
  return bytes
}

function writeAddresses(addresses: readonly PageAddress[], bytes: Uint8Array, start: number): number {
  bytes[start] = addresses.length
  let at = start + 1
  for (const { ip, router } of addresses) {
    bytes[at] = router ? ROUTER : 0
    bytes.set(ipToBytes(ip), at + 1)
    at += ADDRESS
  }
  return at
}

/** @throws RangeError or TypeError when the bytes are no page: nothing of it may be used then. */
export function decodePage(bytes: Uint8Array): OwnerPage {
  const version = bytes[0]
  if (version !== PLAIN && version !== WITH_ADDRESSES) {
    throw new RangeError(`version ${version} of an owner page is unknown`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const page = new Map<Mac, PageEntry>()
  let at = 1
  while (at < bytes.length) {
    const length = view.getUint8(at)
    if (at + 1 + length > bytes.length) throw new RangeError(`interface name cut at byte ${at}`)
    const name = text.decoder.decode(bytes.subarray(at + 1, at + 1 + length))
    const count = view.getUint16(at + 1 + length)
    at += 3 + length
    for (let i = 0; i < count; i++) {
      if (at + ENTRY > bytes.length) throw new RangeError(`group of ${count} MACs cut at byte ${at}`)
      const addresses = version === PLAIN ? none : readAddresses(bytes, view, at + ENTRY)
      const seq = view.getUint32(at + 6)
      const since = view.getUint32(at + 10)
      page.set(readMac(bytes, at), { interface: name, seq, since, addresses })
      at += version === PLAIN ? ENTRY : ENTRY + 1 + ADDRESS * addresses.length
    }
  }
  return page
}

function readAddresses(bytes: Uint8Array, view: DataView, start: number): readonly PageAddress[] {
  const count = view.getUint8(start)
  if (count === 0) return none
  if (start + 1 + ADDRESS * count > bytes.length) throw new RangeError(`addresses cut at byte ${start}`)
  return Array.from({ length: count }, (_, i) => {
    const at = start + 1 + ADDRESS * i
    return { ip: ipFromBytes(bytes.subarray(at + 1, at + 17)), router: (bytes[at]! & ROUTER) !== 0 }
  })
}

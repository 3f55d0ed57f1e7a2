import { type Ip, ipFromBytes, ipToBytes } from './ip.js'
import { type Mac, readMac, writeMac } from './mac.js'
import type { FdbEntry } from './segment-table.js'

/**
 * The packed body of a SegmentUpdate: groups of MACs that share VTEP and flags.
 *
 *     group = flags u8 | vtep 16 bytes | count u32 big-endian | count x mac 6 bytes
 *
 * In a delta a group with REMOVED takes its MACs out; its VTEP is zero. Six
 * bytes an entry, and encoding is two orders of magnitude cheaper than one
 * protobuf message an entry.
 */
const STATIC = 1
const REMOVED = 128
const GROUP_HEADER = 1 + 16 + 4

export interface BodyChange {
  readonly mac: Mac
  /** `undefined`: the MAC is gone. */
  readonly entry: FdbEntry | undefined
}

export function encodeBody(changes: Iterable<BodyChange>): Uint8Array {
  const groups = new Map<string, { flags: number; vtep: Ip | undefined; macs: Mac[] }>()
  for (const { mac, entry } of changes) {
    const flags = entry ? (entry.static ? STATIC : 0) : REMOVED
    const key = `${flags} ${entry?.vtep ?? ''}`
    const group = groups.get(key)
    if (group) group.macs.push(mac)
    else groups.set(key, { flags, vtep: entry?.vtep, macs: [mac] })
  }

  let size = 0
  for (const { macs } of groups.values()) size += GROUP_HEADER + 6 * macs.length
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { flags, vtep, macs } of groups.values()) {
    bytes[at] = flags
    if (vtep !== undefined) bytes.set(ipToBytes(vtep), at + 1)
    view.setUint32(at + 17, macs.length)
    at += GROUP_HEADER
    for (const mac of macs) {
      writeMac(mac, bytes, at)
      at += 6
    }
  }
  return bytes
}

/** @throws RangeError when the bytes end inside a group: nothing of it may be used then. */
export function decodeBody(bytes: Uint8Array): BodyChange[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const changes: BodyChange[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + GROUP_HEADER > bytes.length) throw new RangeError(`group header cut at byte ${at}`)
    const flags = bytes[at]!
    const removed = (flags & REMOVED) !== 0
    const entry = removed
      ? undefined
      : { vtep: ipFromBytes(bytes.subarray(at + 1, at + 17)), static: (flags & STATIC) !== 0 }
    const count = view.getUint32(at + 17)
    at += GROUP_HEADER
    if (at + 6 * count > bytes.length) throw new RangeError(`group of ${count} MACs cut at byte ${at}`)
    for (let i = 0; i < count; i++, at += 6) changes.push({ mac: readMac(bytes, at), entry })
  }
  return changes
}

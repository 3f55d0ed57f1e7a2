import { type Ip, ipFromBytes, ipToBytes } from './ip.js'
import { type Mac, readMac, writeMac } from './mac.js'
import type { Binding, FdbEntry } from './segment-table.js'

/**
 * The packed body of a SegmentUpdate: groups of MACs that share VTEP and flags,
 * then groups of bindings that share flags.
 *
 *     group   = flags u8 | vtep 16 bytes | count u32 big-endian | count x item
 *     item    = mac 6 bytes
 *     binding = ip 16 bytes | mac 6 bytes, in a group with BINDING
 *
 * In a delta a group with REMOVED takes its MACs, or addresses, out. The VTEP is
 * zero where none is meant, as is the MAC. Six bytes a MAC, and encoding is two
 * orders of magnitude cheaper than one protobuf message an entry.
 */
const STATIC = 1
const BINDING = 2
const ROUTER = 4
const REMOVED = 128
const GROUP_HEADER = 1 + 16 + 4
const BINDING_SIZE = 16 + 6

export interface BodyChange {
  readonly mac: Mac
  /** `undefined`: the MAC is gone. */
  readonly entry: FdbEntry | undefined
}

export interface BindingChange {
  readonly ip: Ip
  /** `undefined`: nobody has the address. */
  readonly binding: Binding | undefined
}

export interface Body {
  readonly macs: readonly BodyChange[]
  readonly bindings: readonly BindingChange[]
}

interface Group<T> {
  readonly flags: number
  readonly vtep: Ip | undefined
  readonly items: T[]
}

export function encodeBody(
  changes: Iterable<BodyChange>,
  bindings: Iterable<BindingChange> = [],
): Uint8Array {
  const macs = groupMacs(changes)
  const addresses = groupBindings(bindings)
  let size = 0
  for (const { items } of macs) size += GROUP_HEADER + 6 * items.length
  for (const { items } of addresses) size += GROUP_HEADER + BINDING_SIZE * items.length
  const bytes = new Uint8Array(size)
  let at = 0
  for (const group of macs) {
    at = writeHeader(bytes, at, group)
    for (const mac of group.items) {
      writeMac(mac, bytes, at)
      at += 6
    }
  }
  for (const group of addresses) {
    at = writeHeader(bytes, at, group)
    for (const { ip, binding } of group.items) {
      bytes.set(ipToBytes(ip), at)
      if (binding) writeMac(binding.mac, bytes, at + 16)
      at += BINDING_SIZE
    }
  }
  return bytes
}

function groupMacs(changes: Iterable<BodyChange>): Iterable<Group<Mac>> {
  const groups = new Map<string, Group<Mac>>()
  for (const { mac, entry } of changes) {
    const flags = entry ? (entry.static ? STATIC : 0) : REMOVED
    const key = `${flags} ${entry?.vtep ?? ''}`
    const group = groups.get(key)
    if (group) group.items.push(mac)
    else groups.set(key, { flags, vtep: entry?.vtep, items: [mac] })
  }
  return [...groups.values()]
}

function groupBindings(changes: Iterable<BindingChange>): Iterable<Group<BindingChange>> {
  const groups = new Map<number, Group<BindingChange>>()
  for (const change of changes) {
    const flags = BINDING | (change.binding ? (change.binding.router ? ROUTER : 0) : REMOVED)
    const group = groups.get(flags)
    if (group) group.items.push(change)
    else groups.set(flags, { flags, vtep: undefined, items: [change] })
  }
  return [...groups.values()]
}

function writeHeader(bytes: Uint8Array, at: number, { flags, vtep, items }: Group<unknown>): number {
  bytes[at] = flags
  if (vtep !== undefined) bytes.set(ipToBytes(vtep), at + 1)
  new DataView(bytes.buffer).setUint32(at + 17, items.length)
  return at + GROUP_HEADER
}

/** @throws RangeError when the bytes end inside a group: nothing of it may be used then. */
export function decodeBody(bytes: Uint8Array): Body {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const macs: BodyChange[] = []
  const bindings: BindingChange[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + GROUP_HEADER > bytes.length) throw new RangeError(`group header cut at byte ${at}`)
    const flags = bytes[at]!
    const vtep = bytes.subarray(at + 1, at + 17)
    const count = view.getUint32(at + 17)
    const size = (flags & BINDING) !== 0 ? BINDING_SIZE : 6
    at += GROUP_HEADER
    if (at + size * count > bytes.length) throw new RangeError(`group of ${count} cut at byte ${at}`)
    const items = bytes.subarray(at, at + size * count)
    if ((flags & BINDING) !== 0) readBindings(items, flags, bindings)
    else readMacs(items, flags, vtep, macs)
    at += size * count
  }
  return { macs, bindings }
}

function readMacs(items: Uint8Array, flags: number, vtep: Uint8Array, into: BodyChange[]): void {
  const removed = (flags & REMOVED) !== 0
  const entry = removed ? undefined : { vtep: ipFromBytes(vtep), static: (flags & STATIC) !== 0 }
  for (let at = 0; at < items.length; at += 6) into.push({ mac: readMac(items, at), entry })
}

function readBindings(items: Uint8Array, flags: number, into: BindingChange[]): void {
  const removed = (flags & REMOVED) !== 0
  const router = (flags & ROUTER) !== 0
  for (let at = 0; at < items.length; at += BINDING_SIZE) {
    const ip = ipFromBytes(items.subarray(at, at + 16))
    into.push({ ip, binding: removed ? undefined : { mac: readMac(items, at + 16), router } })
  }
}

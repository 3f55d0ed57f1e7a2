import type { Ip } from './ip.js'
import type { Mac } from './mac.js'
import { type BindingChange, type BodyChange, decodeBody } from './segment-body.js'
import type { Binding, FdbEntry, SegmentSpec, SegmentTable } from './segment-table.js'
import { SetHash } from './set-hash.js'

/** How a node's table of one segment becomes the controller's. */
export interface SegmentUpdate {
  readonly vni: number
  readonly kind: 'unchanged' | 'delta' | 'snapshot'
  /** Of a delta: the only revision it may be applied on. */
  readonly from_revision: bigint
  readonly to_revision: bigint
  /** Set hash of entries and bindings after this update. */
  readonly hash: bigint
  /** In snapshots, and in a delta that changes it. */
  readonly spec?: SegmentSpec
  /** Packed entries and bindings (segment-body.ts). */
  readonly body: Uint8Array
}

/**
 * The table after `update`. `held` stays as it is.
 *
 * @returns `undefined` when the update does not fit what is held, or the result's
 *   hash is not the announced one: keep `held` and ask for the segment whole.
 * @throws RangeError when the body is cut.
 */
export function applySegmentUpdate(
  held: SegmentTable | undefined,
  update: SegmentUpdate,
): SegmentTable | undefined {
  if (update.kind === 'snapshot') return fromSnapshot(update)
  if (!held) return undefined
  if (update.kind === 'unchanged') {
    return held.hash === update.hash ? { ...held, revision: update.to_revision } : undefined
  }
  return held.revision === update.from_revision ? fromDelta(held, update) : undefined
}

function fromSnapshot(update: SegmentUpdate): SegmentTable | undefined {
  if (!update.spec) return undefined
  const entries = new Map<Mac, FdbEntry>()
  const bindings = new Map<Ip, Binding>()
  const body = decodeBody(update.body)
  for (const { mac, entry } of body.macs) if (entry) entries.set(mac, entry)
  for (const { ip, binding } of body.bindings) if (binding) bindings.set(ip, binding)
  const hash = SetHash.of(entries, bindings)
  if (hash !== update.hash) return undefined
  return {
    vni: update.vni,
    revision: update.to_revision,
    hash,
    spec: update.spec,
    entries,
    bindings,
  }
}

function fromDelta(held: SegmentTable, update: SegmentUpdate): SegmentTable | undefined {
  const hash = SetHash.from(held.hash)
  const body = decodeBody(update.body)
  const entries = changedEntries(held, body.macs, hash)
  const bindings = changedBindings(held, body.bindings, hash)
  if (hash.value !== update.hash) return undefined
  return {
    vni: held.vni,
    revision: update.to_revision,
    hash: update.hash,
    spec: update.spec ?? held.spec,
    entries,
    bindings,
  }
}

function changedEntries(held: SegmentTable, changes: readonly BodyChange[], hash: SetHash) {
  if (changes.length === 0) return held.entries
  const entries = new Map(held.entries)
  for (const { mac, entry } of changes) {
    const before = entries.get(mac)
    if (before) hash.remove(mac, before)
    if (entry) {
      entries.set(mac, entry)
      hash.add(mac, entry)
    } else entries.delete(mac)
  }
  return entries
}

function changedBindings(held: SegmentTable, changes: readonly BindingChange[], hash: SetHash) {
  if (changes.length === 0) return held.bindings
  const bindings = new Map(held.bindings)
  for (const { ip, binding } of changes) {
    const before = bindings.get(ip)
    if (before) hash.removeBinding(ip, before)
    if (binding) {
      bindings.set(ip, binding)
      hash.addBinding(ip, binding)
    } else bindings.delete(ip)
  }
  return bindings
}

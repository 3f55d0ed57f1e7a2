import type { Mac } from './mac.js'
import { decodeBody } from './segment-body.js'
import type { FdbEntry, SegmentSpec, SegmentTable } from './segment-table.js'
import { SetHash } from './set-hash.js'

/** How a node's table of one segment becomes the controller's. */
export interface SegmentUpdate {
  readonly vni: number
  readonly kind: 'unchanged' | 'delta' | 'snapshot'
  /** Of a delta: the only revision it may be applied on. */
  readonly from_revision: bigint
  readonly to_revision: bigint
  /** Set hash of the entries after this update. */
  readonly hash: bigint
  /** In snapshots, and in a delta that changes it. */
  readonly spec?: SegmentSpec
  /** Packed entries (segment-body.ts). */
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
  for (const { mac, entry } of decodeBody(update.body)) if (entry) entries.set(mac, entry)
  const hash = SetHash.of(entries)
  if (hash !== update.hash) return undefined
  return {
    vni: update.vni,
    revision: update.to_revision,
    hash,
    spec: update.spec,
    entries,
    bindings: new Map(),
  }
}

function fromDelta(held: SegmentTable, update: SegmentUpdate): SegmentTable | undefined {
  const entries = new Map(held.entries)
  const hash = SetHash.from(held.hash)
  for (const { mac, entry } of decodeBody(update.body)) {
    const before = entries.get(mac)
    if (before) hash.remove(mac, before)
    if (entry) {
      entries.set(mac, entry)
      hash.add(mac, entry)
    } else entries.delete(mac)
  }
  if (hash.value !== update.hash) return undefined
  return {
    vni: held.vni,
    revision: update.to_revision,
    hash: update.hash,
    spec: update.spec ?? held.spec,
    entries,
    bindings: held.bindings,
  }
}

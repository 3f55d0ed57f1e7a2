import { WeftError } from '../../common/errors.js'
import type { NodeAssignment, NodeState, SegmentTable } from '../../model/segment-table.js'
import { applySegmentUpdate, type SegmentUpdate } from '../../model/segment-update.js'
import type { HeldSegment, StateChange } from '../../rpc/records.js'

/** What a change calls for. */
export type Step =
  | { readonly kind: 'wait' }
  /** Ask for this segment whole. */
  | { readonly kind: 'request'; readonly vni: number; readonly why: string }
  /** All of it is there: this is what the node shall be. */
  | { readonly kind: 'complete'; readonly state: NodeState }

const WAIT: Step = { kind: 'wait' }
const MOST_REQUESTS = 3

/**
 * This node's copy of what the controller says, over many streams. Pure.
 *
 * Segments outlive a stream, so that the next one can spare what has not
 * changed; each is trusted only as far as its revision and hash. A state is
 * complete at InSync, unless a segment is still to come whole: then at a later
 * InSync. What a new stream does not name before its first InSync is gone.
 */
export class Replica {
  private assignment: NodeAssignment | undefined
  private readonly segments = new Map<number, SegmentTable>()
  /** Requested, not come yet; how often in a row. */
  private readonly wanting = new Map<number, number>()
  /** Named since this stream began; `undefined` after its first InSync. */
  private named: Set<number> | undefined = new Set()

  /** A new stream begins: what to say in Hello. */
  begin(): HeldSegment[] {
    // What was asked for and did not come is not worth keeping.
    for (const vni of this.wanting.keys()) this.segments.delete(vni)
    this.wanting.clear()
    this.named = new Set()
    this.assignment = undefined
    return [...this.segments.values()].map(({ vni, revision, hash }) => ({ vni, revision, hash }))
  }

  /** @throws WeftError W-3010 when the controller contradicts itself: end the stream and begin anew. */
  apply(change: StateChange): Step {
    switch (change.kind) {
      case 'node':
        this.assignment = change.assignment
        return WAIT
      case 'segment':
        return this.update(change.update)
      case 'segment_remove':
        this.segments.delete(change.vni)
        this.wanting.delete(change.vni)
        return WAIT
      case 'in_sync':
        return this.complete(change.revision)
    }
  }

  private update(update: SegmentUpdate): Step {
    const { vni } = update
    this.named?.add(vni)
    // A delta that was on its way when we asked for the whole.
    if (this.wanting.has(vni) && update.kind !== 'snapshot') return WAIT
    const table = this.fold(update)
    if (table) {
      this.segments.set(vni, table)
      this.wanting.delete(vni)
      return WAIT
    }
    const requests = (this.wanting.get(vni) ?? 0) + 1
    if (requests > MOST_REQUESTS) {
      this.segments.delete(vni)
      throw new WeftError(
        'W-3010',
        `the table of VNI ${vni} did not match its hash ${requests} times in a row`,
      )
    }
    this.wanting.set(vni, requests)
    return { kind: 'request', vni, why: this.mismatch(update) }
  }

  private fold(update: SegmentUpdate): SegmentTable | undefined {
    try {
      return applySegmentUpdate(this.segments.get(update.vni), update)
    } catch (cause) {
      throw new WeftError('W-3010', `the table of VNI ${update.vni} is cut`, { cause })
    }
  }

  private mismatch({ vni, kind, from_revision: from }: SegmentUpdate): string {
    const held = this.segments.get(vni)
    if (kind !== 'snapshot' && !held) return `${kind} of a segment that is not held`
    if (kind === 'delta' && held!.revision !== from) return `delta from ${from}, held ${held!.revision}`
    return `${kind} does not match its hash`
  }

  private complete(revision: bigint): Step {
    if (!this.assignment) throw new WeftError('W-3010', 'the controller sent InSync before the node part')
    for (const vni of this.segments.keys()) {
      if (this.named && !this.named.has(vni)) this.segments.delete(vni)
    }
    this.named = undefined
    if (this.wanting.size > 0) return WAIT
    return {
      kind: 'complete',
      state: { revision, assignment: this.assignment, segments: new Map(this.segments) },
    }
  }
}

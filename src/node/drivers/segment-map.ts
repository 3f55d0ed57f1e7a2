import type { Ip } from '../../model/ip.js'
import type { NodeState, SegmentTable } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import type { BpfMap } from '../bpf/map.js'
import { type Delta, delta } from '../reconcile/delta.js'
import { failureOf } from '../reconcile/failure.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { NodeStatus } from '../status.js'

/** How a map of the kernel holds what a segment's table says, one entry for each item. */
export interface SegmentMapLayout<Id, Item, K, V> {
  readonly name: string
  readonly itemsOf: (table: SegmentTable) => ReadonlyMap<Id, Item>
  readonly keyOf: (vni: number, id: Id) => K
  readonly idOf: (key: K) => { readonly vni: number; readonly id: Id }
  readonly encode: (item: Item, self: Ip, revision: bigint) => V
  readonly sameItem: (a: Item, b: Item) => boolean
  /** Whether the kernel holds the item, whichever revision wrote it. */
  readonly holds: (item: Item, self: Ip, value: V) => boolean
}

/**
 * Owns a map that may hold a hundred thousand entries: segments whose table is
 * the one written last are passed over, and no second copy is kept.
 */
export class SegmentMapDriver<Id, Item, K, V> implements Driver<NodeState> {
  readonly name: string
  /** By VNI, the items that the kernel holds. A segment that is not here holds nothing of ours, or is in doubt. */
  private readonly written = new Map<number, ReadonlyMap<Id, Item>>()
  private self: Ip | undefined
  private doubt = true

  constructor(
    private readonly layout: SegmentMapLayout<Id, Item, K, V>,
    private readonly map: BpfMap<K, V>,
    private readonly status: NodeStatus,
  ) {
    this.name = `map ${layout.name}`
  }

  async apply(state: NodeState, { resync }: { resync: boolean }): Promise<readonly Failure[]> {
    const readBack = resync || this.doubt || this.self !== state.assignment.vtep
    this.doubt = false
    this.self = state.assignment.vtep
    const failures = readBack ? this.compare(state) : this.follow(state)
    let entries = 0
    for (const items of this.written.values()) entries += items.size
    const { name } = this.layout
    this.status.maps.set(name, { map: name, entries, max_entries: this.map.maxEntries })
    return failures
  }

  /** Writes what changed since the last time. */
  private follow(state: NodeState): Failure[] {
    return this.each([...this.written.keys()], state, (vni, wanted) => {
      const before = this.written.get(vni)
      if (wanted === before) return undefined
      const same = (want: Item, have: Item) => want === have || this.layout.sameItem(want, have)
      return delta<Id, Item, Item>(wanted ?? new Map(), before ?? new Map(), same)
    })
  }

  /** Writes what differs from what the kernel really holds. */
  private compare(state: NodeState): Failure[] {
    const self = state.assignment.vtep
    const found = new Map<number, Map<Id, V>>()
    for (const [key, value] of this.map.entries()) {
      const { vni, id } = this.layout.idOf(key)
      const segment = found.get(vni)
      if (segment) segment.set(id, value)
      else found.set(vni, new Map([[id, value]]))
    }
    return this.each([...found.keys(), ...this.written.keys()], state, (vni, wanted) => {
      const holds = (want: Item, have: V) => this.layout.holds(want, self, have)
      const changes = delta<Id, Item, V>(wanted ?? new Map(), found.get(vni) ?? new Map(), holds)
      // Left as it is wanted, found otherwise: somebody else was there.
      if (wanted && this.written.get(vni) === wanted) {
        this.status.repaired(this.name, changes.set.length + changes.remove.length)
      }
      return changes
    })
  }

  // A segment that cannot be written does not hold up the others.
  private each(
    known: readonly number[],
    state: NodeState,
    changesOf: (vni: number, wanted: ReadonlyMap<Id, Item> | undefined) => Delta<Id, Item> | undefined,
  ): Failure[] {
    const failures: Failure[] = []
    for (const vni of new Set([...known, ...state.segments.keys()])) {
      const table = state.segments.get(vni)
      const wanted = table && this.layout.itemsOf(table)
      try {
        const changes = changesOf(vni, wanted)
        if (changes) this.put(vni, changes, state.assignment.vtep, table?.revision ?? 0n)
        if (wanted) this.written.set(vni, wanted)
        else this.written.delete(vni)
      } catch (err) {
        this.doubt = true
        this.written.delete(vni)
        failures.push(failureOf(err, table ? `network ${table.spec.network}` : `VNI ${vni}`))
      }
    }
    return failures
  }

  // What goes makes room for what comes.
  private put(vni: number, { set, remove }: Delta<Id, Item>, self: Ip, revision: bigint): void {
    const { keyOf, encode } = this.layout
    this.map.deleteMany(remove.map((id) => keyOf(vni, id)))
    this.map.setMany(set.map(([id, item]) => [keyOf(vni, id), encode(item, self, revision)] as const))
  }
}

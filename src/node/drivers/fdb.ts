import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import type { FdbEntry, NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import type { FdbKey, FdbEntry as FdbValue } from '../bpf/abi.gen.js'
import type { BpfMap } from '../bpf/map.js'
import { type Delta, delta } from '../reconcile/delta.js'
import { failureOf } from '../reconcile/failure.js'
import type { Driver } from '../reconcile/reconciler.js'
import { fdbValue, sameFdbValue } from '../reconcile/tables.js'
import type { NodeStatus } from '../status.js'

type Entries = ReadonlyMap<Mac, FdbEntry>
type Changes = Delta<Mac, FdbEntry>
const NONE = new Map<Mac, never>()

/**
 * Owns the map `fdb`, which may hold a hundred thousand entries: segments whose
 * table is the one written last are passed over, and no second copy is kept.
 */
export class FdbDriver implements Driver<NodeState> {
  readonly name = 'map fdb'
  /** By VNI, the table that the kernel holds. A segment that is not here holds nothing of ours, or is in doubt. */
  private readonly written = new Map<number, Entries>()
  private self: Ip | undefined
  private doubt = true

  constructor(
    private readonly map: BpfMap<FdbKey, FdbValue>,
    private readonly status: NodeStatus,
  ) {}

  async apply(state: NodeState, { resync }: { resync: boolean }): Promise<readonly Failure[]> {
    const readBack = resync || this.doubt || this.self !== state.assignment.vtep
    this.doubt = false
    this.self = state.assignment.vtep
    const failures = readBack ? this.compare(state) : this.follow(state)
    let entries = 0
    for (const table of this.written.values()) entries += table.size
    this.status.maps.set('fdb', { map: 'fdb', entries, max_entries: this.map.maxEntries })
    return failures
  }

  /** Writes what changed since the last time. */
  private follow(state: NodeState): Failure[] {
    return this.each([...this.written.keys()], state, (vni, wanted) => {
      const before = this.written.get(vni)
      if (wanted === before) return undefined
      return delta<Mac, FdbEntry, FdbEntry>(
        wanted ?? NONE,
        before ?? NONE,
        (want, have) => want === have || (want.vtep === have.vtep && want.static === have.static),
      )
    })
  }

  /** Writes what differs from what the kernel really holds. */
  private compare(state: NodeState): Failure[] {
    const self = state.assignment.vtep
    const found = new Map<number, Map<Mac, FdbValue>>()
    for (const [{ vni, mac }, value] of this.map.entries()) {
      const segment = found.get(vni)
      if (segment) segment.set(mac, value)
      else found.set(vni, new Map([[mac, value]]))
    }
    return this.each([...found.keys(), ...this.written.keys()], state, (vni, wanted) => {
      const actual = found.get(vni) ?? NONE
      const changes = delta<Mac, FdbEntry, FdbValue>(wanted ?? NONE, actual, (want, have) =>
        sameFdbValue(want, self, have),
      )
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
    changesOf: (vni: number, wanted: Entries | undefined) => Changes | undefined,
  ): Failure[] {
    const failures: Failure[] = []
    for (const vni of new Set([...known, ...state.segments.keys()])) {
      const table = state.segments.get(vni)
      try {
        const changes = changesOf(vni, table?.entries)
        if (changes) this.put(vni, changes, state.assignment.vtep, table?.revision ?? 0n)
        if (table) this.written.set(vni, table.entries)
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
  private put(vni: number, { set, remove }: Changes, self: Ip, revision: bigint): void {
    this.map.deleteMany(remove.map((mac) => ({ vni, mac })))
    this.map.setMany(set.map(([mac, entry]) => [{ vni, mac }, fdbValue(entry, self, revision)] as const))
  }
}

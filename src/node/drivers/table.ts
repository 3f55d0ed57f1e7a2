import type { NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import type { Codec } from '../bpf/codec.js'
import type { BpfMap } from '../bpf/map.js'
import { delta } from '../reconcile/delta.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { Wanted } from '../reconcile/tables.js'
import type { NodeStatus } from '../status.js'

export interface TableOptions<K, V> {
  readonly name: string
  readonly map: BpfMap<K, V>
  readonly key: Codec<K>
  readonly value: Codec<V>
  readonly wanted: (state: NodeState) => Wanted<K, V>
  readonly status: NodeStatus
  /** An array has all its entries always: nothing is deleted. */
  readonly fixed?: boolean
}

interface Row<K, V> {
  readonly key: K
  readonly value: V
  readonly bytes: Buffer
}

/** Owns one small map: keeps its contents in mind, and writes what differs. */
export class TableDriver<K, V> implements Driver<NodeState> {
  readonly name: string
  private actual: ReadonlyMap<string, Row<K, V>> | undefined
  private written = false

  constructor(private readonly opts: TableOptions<K, V>) {
    this.name = `map ${opts.name}`
  }

  async apply(state: NodeState, { resync }: { resync: boolean }): Promise<readonly Failure[]> {
    const { map, wanted, status, name } = this.opts
    const { entries, failures } = wanted(state)
    const desired = this.rows(entries)
    const before = this.actual
    const actual = resync || !before ? this.rows(map.entries()) : before
    this.actual = undefined // not known until all is written

    const { set, remove } = delta(desired, actual, (want, have) => want.bytes.equals(have.bytes))
    if (!this.opts.fixed) map.deleteMany(remove.map((text) => actual.get(text)!.key))
    map.setMany(set.map(([, { key, value }]) => [key, value] as const))
    if (this.written && resync && before) status.repaired(this.name, drift(before, actual))
    this.actual = desired
    this.written = true
    status.maps.set(name, { map: name, entries: desired.size, max_entries: map.maxEntries })
    return failures
  }

  private rows(entries: Iterable<readonly [K, V]>): Map<string, Row<K, V>> {
    const rows = new Map<string, Row<K, V>>()
    for (const [key, value] of entries) {
      const text = encode(this.opts.key, key).toString('latin1')
      rows.set(text, { key, value, bytes: encode(this.opts.value, value) })
    }
    return rows
  }
}

/** How many entries are not as they were left. */
function drift<K, V>(left: ReadonlyMap<string, Row<K, V>>, found: ReadonlyMap<string, Row<K, V>>): number {
  const { set, remove } = delta(left, found, (want, have) => want.bytes.equals(have.bytes))
  return set.length + remove.length
}

function encode<T>(codec: Codec<T>, value: T): Buffer {
  const bytes = Buffer.alloc(codec.size)
  codec.encode(value, bytes)
  return bytes
}

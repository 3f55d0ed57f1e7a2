import type { Mac } from '../../model/mac.js'
import type { MacRecord } from '../control.js'
import { decodeJournal, type MacJournal, settled, WINDOW_MS } from './mac-journal.js'
import type { StoreEvent } from './records.js'

interface Stored {
  readonly vni: number
  readonly mac: Mac
  readonly journal: MacJournal
}

/** PURE: the journals of all MACs that have one. */
export class Journals {
  /** Reasons by etcd key. */
  readonly quarantine = new Map<string, string>()
  /** By `vni/mac`, the longest unchanged first. */
  private readonly stored = new Map<string, Stored>()

  get size(): number {
    return this.stored.size
  }

  get(vni: number, mac: Mac): MacJournal | undefined {
    return this.stored.get(`${vni}/${mac}`)?.journal
  }

  /** Of all segments, as of `now`. */
  of(mac: Mac, now: number): MacRecord[] {
    const records: MacRecord[] = []
    for (const { vni, mac: of, journal } of this.stored.values()) {
      if (of !== mac) continue
      const { entries, frozen_at: frozen } = settled(journal, now)
      const until = frozen === undefined ? {} : { frozen_until: frozen + WINDOW_MS }
      records.push({ vni, events: entries, ...until })
    }
    return records
  }

  /** Which have to go, the longest unchanged first, when `written` come into the segment. */
  evicted(
    vni: number,
    written: ReadonlyMap<Mac, MacJournal>,
    { limit, atMost }: { limit: number; atMost: number },
  ): { readonly vni: number; readonly mac: Mac }[] {
    const fresh = [...written.keys()].filter((mac) => !this.get(vni, mac)).length
    const excess = Math.min(atMost, this.size + fresh - limit)
    const gone: Stored[] = []
    for (const old of this.stored.values()) {
      if (gone.length >= excess) break
      if (old.vni !== vni || !written.has(old.mac)) gone.push(old)
    }
    return gone
  }

  apply(events: readonly StoreEvent[]): void {
    for (const { id, key, value } of events) {
      if (id.kind !== 'journal') continue
      const name = `${id.vni}/${id.mac}`
      this.quarantine.delete(key)
      this.stored.delete(name)
      if (value === undefined) continue
      try {
        this.stored.set(name, { vni: id.vni, mac: id.mac, journal: decodeJournal(value) })
      } catch (err) {
        this.quarantine.set(key, (err as Error).message)
      }
    }
  }
}

import { describe, expect, it } from 'vitest'
import type { Mac } from '../../model/mac.js'
import { Journals } from './journals.js'
import { emptyJournal, encodeJournal, type MacJournal, withMove } from './mac-journal.js'
import type { StoreEvent } from './records.js'

const journal = withMove(emptyJournal, { at: 7, from: 'a/tap0', to: 'b/tap0', seq: 1, announced: false })

function event(vni: number, mac: number, value: string | undefined): StoreEvent {
  const id = { kind: 'journal', vni, mac: mac as Mac } as const
  const bytes = value === undefined ? undefined : new TextEncoder().encode(value)
  return { key: `${vni}/${mac}`, id, value: bytes, mod_revision: 1n }
}

describe('journals', () => {
  it('come back from etcd, in all segments that a MAC was in', () => {
    const journals = new Journals()
    journals.apply([event(1, 2, encodeJournal(journal)), event(3, 2, encodeJournal(journal))])
    expect(journals.get(1, 2 as Mac)).toEqual(journal)
    expect(journals.of(2 as Mac, 8)).toEqual([
      { vni: 1, events: journal.entries },
      { vni: 3, events: journal.entries },
    ])
    journals.apply([event(1, 2, undefined)])
    expect(journals.of(2 as Mac, 8).map(({ vni }) => vni)).toEqual([3])
  })

  it('that cannot be read are set aside, until they can', () => {
    const journals = new Journals()
    journals.apply([event(1, 2, '{'), event(1, 3, '{"entries":7}')])
    expect([...journals.quarantine.keys()]).toEqual(['1/2', '1/3'])
    journals.apply([event(1, 2, encodeJournal(journal)), event(1, 3, undefined)])
    expect([journals.quarantine.size, journals.size]).toEqual([0, 1])
  })

  it('make room for new ones: the longest unchanged go, those just written stay', () => {
    const journals = new Journals()
    for (const mac of [1, 2, 3, 4]) journals.apply([event(1, mac, encodeJournal(journal))])
    journals.apply([event(1, 2, encodeJournal(journal))])
    const gone = (vni: number, macs: readonly number[], atMost = 9) => {
      const written = new Map(macs.map((mac): [Mac, MacJournal] => [mac as Mac, journal]))
      return journals.evicted(vni, written, { limit: 4, atMost }).map(({ mac }) => mac)
    }
    expect(gone(1, [1, 2])).toEqual([])
    expect(gone(1, [9])).toEqual([1])
    expect(gone(1, [1, 8, 9])).toEqual([3, 4])
    expect(gone(2, [1, 8, 9])).toEqual([1, 3, 4])
    expect(gone(2, [1, 8, 9], 2)).toEqual([1, 3])
  })
})

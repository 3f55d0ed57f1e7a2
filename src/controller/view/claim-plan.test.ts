import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DesiredTopology } from '../../model/desired-state.js'
import { canonicalIp } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import { plainNetwork } from '../../model/segment.fixture.js'
import { type ClaimPlan, newerWord, type PendingClaim, type PendingNode, planClaims } from './claim-plan.js'
import { ClusterView } from './cluster-view.js'
import { encodeJournal, type JournalEntry, MAX_ENTRIES } from './mac-journal.js'
import { encodePage, MACS_PER_PAGE } from './owner-page.js'
import type { RecordKey, StoreEvent } from './records.js'
import { splitTopology } from './topology-objects.js'

const VNI = 100
const DECLARED = '10.1.0.200'
const macAt = (i: number) => (0x020000000000 + i) as Mac
const text = new TextEncoder()

function lab(on: readonly number[]): DesiredTopology {
  return {
    name: 'lab',
    description: '',
    nodes: [0, 1, 2].map((i) => ({
      name: `host${i}`,
      underlay: { dev: 'eth0', address: `10.0.0.${i + 1}`, prefix_length: 24, port: 4789 },
    })),
    networks: [
      {
        ...plainNetwork,
        name: 'red',
        vni: VNI,
        ports: on.flatMap((i) => ['tap0', 'tap1'].map((name) => ({ node: `host${i}`, interface: name }))),
        arp: 'suppress',
        static: [{ mac: '02:00:00:00:00:00', ip: DECLARED, node: 'host0' }],
      },
    ],
  }
}

/** A view on keys that plans are written to at once. */
class Bench {
  readonly view = new ClusterView()
  now = 1_000_000_000_000
  journalRoom = 4096
  private revision = 0n

  write(puts: readonly [RecordKey, Uint8Array | undefined][]): void {
    this.revision++
    const events = puts.map(([id, value]): StoreEvent => {
      return { key: JSON.stringify(id), id, value, mod_revision: this.revision }
    })
    this.view.apply(events, this.revision)
  }

  declare(on: readonly number[], epoch: string): void {
    const objects = splitTopology(lab(on), '')
    const head = JSON.stringify({ epoch, count: objects.size, applied_at: '' })
    this.write([
      [{ kind: 'head', topology: 'lab' }, text.encode(head)],
      ...[...objects].map(([id, value]): [RecordKey, Uint8Array] => [
        { kind: 'object', topology: 'lab', epoch, id },
        text.encode(value),
      ]),
    ])
  }

  /** Plans and writes until nothing is left. */
  claim(node: string, claims: readonly PendingClaim[], complete = false): ClaimPlan {
    let rest: ReadonlyMap<string, PendingNode> = new Map([
      [node, { complete, claims: new Map(claims.map((claim) => [claim.mac, claim])) }],
    ])
    for (;;) {
      const plan = planClaims(this.view, VNI, rest, { now: this.now, journalRoom: this.journalRoom })
      this.write([
        ...plan.writes.map(({ vtep, page, macs }): [RecordKey, Uint8Array | undefined] => [
          { kind: 'page', vni: VNI, vtep, page },
          macs.size > 0 ? encodePage(macs) : undefined,
        ]),
        ...[...plan.journals].map(([mac, journal]): [RecordKey, Uint8Array] => [
          { kind: 'journal', vni: VNI, mac },
          text.encode(encodeJournal(journal)),
        ]),
      ])
      rest = plan.rest
      if (rest.size === 0) return plan
    }
  }
}

function claim(i: number, parts: Partial<PendingClaim> = {}): PendingClaim {
  return {
    mac: macAt(i),
    interface: 'tap0',
    withdraw: false,
    weak: false,
    announced: false,
    addresses: [],
    ...parts,
  }
}

describe('planned claims', () => {
  it('keep each MAC in one page, at the last who was heard with it', () => {
    const said = fc.record({
      host: fc.nat(2),
      mac: fc.integer({ min: 1, max: 10 }),
      port: fc.constantFrom('tap0', 'tap1'),
      withdraw: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(said, { maxLength: 40 }), (words) => {
        const bench = new Bench()
        bench.declare([0, 1, 2], 'a')
        const model = new Map<Mac, { vtep: string; interface: string; seq: number }>()
        const moved = new Map<Mac, number>()
        for (const { host, mac, port, withdraw } of words) {
          bench.now += 200_000 // past hold and damper
          bench.claim(`host${host}`, [claim(mac, { interface: port, withdraw })])
          const vtep = `10.0.0.${host + 1}`
          const before = model.get(macAt(mac))
          const same = before?.vtep === vtep && before.interface === port
          if (withdraw && same) model.delete(macAt(mac))
          if (withdraw || same) continue
          const last = before ? before.seq : moved.get(macAt(mac))
          const seq = last === undefined ? 0 : last + 1
          model.set(macAt(mac), { vtep, interface: port, seq })
          if (seq > 0) moved.set(macAt(mac), seq)
        }
        const owners = [...bench.view.learned.owners(VNI)].map(([mac, { vtep, interface: port, seq }]) => {
          return [mac, { vtep, interface: port, seq }] as const
        })
        expect(new Map(owners)).toEqual(model)
        const pages = [...bench.view.learned.pages(VNI).values()]
        expect(pages.reduce((sum, { macs }) => sum + macs.size, 0)).toBe(model.size)
      }),
    )
  })

  it('fill pages, and go over several transactions when they touch too many', () => {
    const bench = new Bench()
    bench.declare([0, 1, 2], 'a')
    const many = Array.from({ length: 1_000 }, (_, i) => claim(i + 1))
    bench.claim('host0', many)
    const pages = [...bench.view.learned.pages(VNI).values()]
    expect(pages.map(({ macs }) => macs.size)).toEqual([MACS_PER_PAGE, MACS_PER_PAGE, MACS_PER_PAGE, 232])
    bench.claim('host1', many)
    expect([...bench.view.learned.owners(VNI).values()].every(({ vtep }) => vtep === '10.0.0.2')).toBe(true)
    expect([...bench.view.learned.pages(VNI).values()].every(({ vtep }) => vtep === '10.0.0.2')).toBe(true)
  })

  it('sweep the pages of who has no port any more, and give their MACs to who claims them', () => {
    const bench = new Bench()
    bench.declare([0, 1], 'a')
    bench.claim('host0', [claim(1), claim(2)])
    bench.declare([1], 'b')
    const plan = bench.claim('host1', [claim(1, { weak: true })])
    expect(plan.swept).toBe(true)
    expect([...bench.view.learned.owners(VNI)]).toMatchObject([[macAt(1), { vtep: '10.0.0.2', seq: 0 }]])
  })

  it('stop at so many MACs of one node in one segment', () => {
    const bench = new Bench()
    bench.declare([0], 'a')
    bench.claim(
      'host0',
      Array.from({ length: 8_192 }, (_, i) => claim(i + 1)),
    )
    const plan = bench.claim('host0', [claim(9_000), claim(9_001)])
    expect(plan.refused).toEqual(new Map([['limit', 2]]))
    expect(bench.view.learned.owners(VNI).size).toBe(8_192)
  })
})

function journalOf(bench: Bench, i: number): readonly JournalEntry[] {
  return bench.view.journals.get(VNI, macAt(i))?.entries ?? []
}

function ownerOf(bench: Bench, i: number) {
  return bench.view.learned.owners(VNI).get(macAt(i))
}

describe('a MAC that moves', () => {
  const at = (bench: Bench) => `${ownerOf(bench, 1)?.vtep} ${ownerOf(bench, 1)?.seq}`

  it('is not moved back by a late frame, but by a station that announces itself, or a third place', () => {
    const bench = new Bench()
    bench.declare([0, 1, 2], 'a')
    bench.claim('host0', [claim(1)])
    bench.claim('host1', [claim(1)])
    expect(at(bench)).toBe('10.0.0.2 1')
    bench.now += 999
    expect(bench.claim('host0', [claim(1)]).refused).toEqual(new Map([['late', 1]]))
    expect(at(bench)).toBe('10.0.0.2 1')
    bench.claim('host2', [claim(1)])
    expect(at(bench)).toBe('10.0.0.3 2')
    bench.claim('host1', [claim(1, { announced: true })])
    expect(at(bench)).toBe('10.0.0.2 3')
    bench.now += 1_000
    bench.claim('host2', [claim(1)])
    expect(at(bench)).toBe('10.0.0.3 4')
  })

  it('goes on with its number after it was withdrawn', () => {
    const bench = new Bench()
    bench.declare([0, 1, 2], 'a')
    bench.claim('host0', [claim(1)])
    bench.claim('host1', [claim(1)])
    bench.claim('host1', [claim(1, { withdraw: true })])
    expect(ownerOf(bench, 1)).toBeUndefined()
    bench.claim('host2', [claim(1)])
    expect(at(bench)).toBe('10.0.0.3 2')
    expect(journalOf(bench, 1).map(({ event, to, seq }) => [event, to, seq])).toEqual([
      ['moved', 'host1/tap0', 1],
      ['learned', 'host2/tap0', 2],
    ])
  })

  it('is frozen at its fifth move, until nobody tried for three minutes', () => {
    const bench = new Bench()
    bench.declare([0, 1, 2], 'a')
    bench.claim('host0', [claim(1)])
    for (let move = 1; move <= 5; move++) {
      bench.now += 1_000
      const { frozen } = bench.claim(`host${move % 2}`, [claim(1)])
      expect(frozen).toEqual(move === 5 ? [macAt(1)] : [])
    }
    expect(at(bench)).toBe('10.0.0.2 5')
    bench.now += 170_000
    expect(bench.claim('host0', [claim(1, { announced: true })]).refused).toEqual(new Map([['frozen', 1]]))
    bench.now += 170_000
    expect(bench.claim('host0', [claim(1)]).refused).toEqual(new Map([['frozen', 1]]))
    const lastTry = bench.now
    bench.now += 180_000
    bench.claim('host0', [claim(1)])
    expect(at(bench)).toBe('10.0.0.1 6')
    expect(journalOf(bench, 1).map(({ event }) => event)).toEqual([
      'moved',
      'moved',
      'moved',
      'moved',
      'moved',
      'frozen',
      'refused',
      'thawed',
      'moved',
    ])
    expect(journalOf(bench, 1).at(-2)).toMatchObject({ at: lastTry + 180_000 })
    expect(journalOf(bench, 1).at(-3)).toMatchObject({ count: 2, last_at: lastTry, to: 'host0/tap0' })
  })

  it('has its newest entries kept, and a refusal noted once a second', () => {
    const bench = new Bench()
    bench.declare([0, 1, 2], 'a')
    bench.claim('host0', [claim(1)])
    for (let move = 1; move <= 50; move++) {
      bench.now += 200_000
      bench.claim(`host${move % 2}`, [claim(1)])
      bench.claim(`host${(move + 1) % 2}`, [claim(1)])
      bench.claim(`host${(move + 1) % 2}`, [claim(1)])
    }
    expect(journalOf(bench, 1)).toHaveLength(MAX_ENTRIES)
    expect(journalOf(bench, 1).at(-1)).toMatchObject({ event: 'refused', reason: 'late', seq: 50 })
    expect(journalOf(bench, 1).at(-1)!.count).toBeUndefined()
    expect(journalOf(bench, 1)[0]).toMatchObject({ event: 'moved', seq: 35 })
  })

  it('waits for the next transaction when journals have no room in this', () => {
    const bench = new Bench()
    bench.declare([0, 1], 'a')
    bench.journalRoom = 16
    const many = Array.from({ length: 40 }, (_, i) => claim(i + 1))
    bench.claim('host0', many)
    const pending = new Map([
      ['host1', { complete: false, claims: new Map(many.map((one) => [one.mac, one])) }],
    ])
    const plan = planClaims(bench.view, VNI, pending, { now: bench.now, journalRoom: 16 })
    expect(plan.journals.size).toBe(16)
    expect(plan.rest.get('host1')?.claims.size).toBe(24)
  })
})

describe('claimed addresses', () => {
  const address = (...ips: string[]) => ips.map((ip) => ({ ip: canonicalIp(ip), router: false }))
  const ipsOf = (bench: Bench, i: number) => ownerOf(bench, i)?.addresses.map(({ ip }) => ip)

  it('go with the MAC, and over to whoever claims them last', () => {
    const bench = new Bench()
    bench.declare([0, 1], 'a')
    bench.claim('host0', [claim(1, { addresses: address('10.1.0.1', '10.1.0.9') })])
    bench.claim('host1', [claim(2, { addresses: address('10.1.0.2', '10.1.0.9') })])
    expect([ipsOf(bench, 1), ipsOf(bench, 2)]).toEqual([['10.1.0.1'], ['10.1.0.2', '10.1.0.9']])
    const weak = { addresses: address('10.1.0.1', '10.1.0.9'), weak: true }
    expect(bench.claim('host0', [claim(1, weak)], true).refused).toEqual(new Map([['address', 1]]))
    expect(ipsOf(bench, 2)).toEqual(['10.1.0.2', '10.1.0.9'])
    bench.claim('host1', [claim(1, { addresses: address('10.1.0.1') })])
    expect(ownerOf(bench, 1)).toMatchObject({ vtep: '10.0.0.2', seq: 1, addresses: [{ ip: '10.1.0.1' }] })
    bench.claim('host1', [claim(1)])
    expect(ipsOf(bench, 1)).toEqual([])
  })

  it('that are the same again write nothing', () => {
    const bench = new Bench()
    bench.declare([0], 'a')
    bench.claim('host0', [claim(1, { addresses: address('10.1.0.2', '10.1.0.1') })])
    expect(bench.claim('host0', [claim(1, { addresses: address('10.1.0.1', '10.1.0.2') })]).writes).toEqual(
      [],
    )
  })

  it('are refused when they are many, declared, or no station has them', () => {
    const bench = new Bench()
    bench.declare([0], 'a')
    const many = Array.from({ length: 20 }, (_, i) => `10.1.0.${i + 1}`)
    const none = ['224.0.0.1', '0.0.0.0', '::', 'ff02::1', '255.255.255.255', '127.0.0.1', DECLARED]
    const plan = bench.claim('host0', [claim(1, { addresses: address(...none, ...many) })])
    expect(plan.refused).toEqual(new Map([['address', none.length + 4]]))
    expect(ipsOf(bench, 1)).toHaveLength(16)
  })

  it('are with one MAC at a time, and counted right, whatever is said', () => {
    const said = fc.record({
      host: fc.nat(2),
      mac: fc.integer({ min: 1, max: 5 }),
      ips: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
      withdraw: fc.boolean(),
      weak: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(said, { maxLength: 30 }), (words) => {
        const bench = new Bench()
        bench.declare([0, 1, 2], 'a')
        for (const { host, mac, ips, ...rest } of words) {
          bench.now += 200_000
          const addresses = address(...ips.map((i) => `10.1.0.${i}`))
          bench.claim(`host${host}`, [claim(mac, { addresses, ...rest })])
        }
        const all = [...bench.view.learned.owners(VNI).values()].flatMap(({ addresses }) => addresses)
        expect(new Set(all.map(({ ip }) => ip)).size).toBe(all.length)
        expect(bench.view.learned.addresses(VNI).size).toBe(all.length)
        expect([...bench.view.tables.get(VNI)!.bindings.keys()].sort()).toEqual(
          [...all.map(({ ip }) => ip), canonicalIp(DECLARED)].sort(),
        )
      }),
    )
  })
})

describe('words of a node on one MAC that come before the first is looked at', () => {
  it('leave an announcement what it is, unless the MAC went or is elsewhere', () => {
    const announced = claim(1, { announced: true })
    expect(newerWord(undefined, claim(1))).toEqual(claim(1))
    expect(newerWord(announced, claim(1))).toEqual(announced)
    expect(newerWord(announced, claim(1, { weak: true }))).toEqual(announced)
    for (const other of [claim(1, { withdraw: true }), claim(1, { interface: 'tap1' })]) {
      expect(newerWord(announced, other)).toEqual(other)
      expect(newerWord({ ...other, announced: true }, claim(1))).toEqual(claim(1))
    }
  })
})

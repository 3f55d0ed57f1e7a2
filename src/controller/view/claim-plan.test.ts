import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DesiredTopology } from '../../model/desired-state.js'
import type { Mac } from '../../model/mac.js'
import { plainNetwork } from '../../model/segment.fixture.js'
import { type ClaimPlan, type PendingClaim, type PendingNode, planClaims } from './claim-plan.js'
import { ClusterView } from './cluster-view.js'
import { encodePage, MACS_PER_PAGE } from './owner-page.js'
import type { RecordKey, StoreEvent } from './records.js'
import { splitTopology } from './topology-objects.js'

const VNI = 100
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
        static: [{ mac: '02:00:00:00:00:00', node: 'host0' }],
      },
    ],
  }
}

/** A view on keys that plans are written to at once. */
class Bench {
  readonly view = new ClusterView()
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
      const plan = planClaims(this.view, VNI, rest, { nowS: 1, frozen: () => false })
      this.write(
        plan.writes.map(({ vtep, page, macs }) => [
          { kind: 'page', vni: VNI, vtep, page },
          macs.size > 0 ? encodePage(macs) : undefined,
        ]),
      )
      rest = plan.rest
      if (rest.size === 0) return plan
    }
  }
}

function claim(i: number, parts: Partial<PendingClaim> = {}): PendingClaim {
  return { mac: macAt(i), interface: 'tap0', withdraw: false, weak: false, ...parts }
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
        for (const { host, mac, port, withdraw } of words) {
          bench.claim(`host${host}`, [claim(mac, { interface: port, withdraw })])
          const vtep = `10.0.0.${host + 1}`
          const before = model.get(macAt(mac))
          const same = before?.vtep === vtep && before.interface === port
          if (withdraw && same) model.delete(macAt(mac))
          if (withdraw || same) continue
          model.set(macAt(mac), { vtep, interface: port, seq: before ? before.seq + 1 : 0 })
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

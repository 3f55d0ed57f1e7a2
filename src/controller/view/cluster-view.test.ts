import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DesiredTopology, NetworkSpec } from '../../model/desired-state.js'
import { canonicalIp } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import { plainNetwork } from '../../model/segment.fixture.js'
import { ClusterView } from './cluster-view.js'
import { Mirror } from './mirror.js'
import { encodePage } from './owner-page.js'
import type { RecordKey, StoreEvent } from './records.js'
import { splitTopology } from './topology-objects.js'

/** etcd as far as a view sees it: keys with revisions, and the events of each revision. */
class Store {
  revision = 0n
  readonly keys = new Map<string, StoreEvent>()

  write(puts: readonly [RecordKey, string | Uint8Array | undefined][]): StoreEvent[] {
    this.revision++
    return puts.map(([id, value]) => {
      const key = JSON.stringify(id)
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
      const event = { key, id, value: bytes, mod_revision: this.revision }
      if (bytes) this.keys.set(key, event)
      else this.keys.delete(key)
      return event
    })
  }

  /** The objects of `desired` in their own epoch, then its head. */
  apply(desired: DesiredTopology, epoch: string): StoreEvent[] {
    const objects = splitTopology(desired, desired.description)
    const staged = this.write(
      [...objects].map(([id, value]) => [{ kind: 'object', topology: desired.name, epoch, id }, value]),
    )
    const head = JSON.stringify({ epoch, count: objects.size, applied_at: '' })
    const gone = [...this.keys.values()].filter(
      ({ id }) => id.kind === 'object' && id.topology === desired.name && id.epoch !== epoch,
    )
    return [
      ...staged,
      ...this.write([
        [{ kind: 'head', topology: desired.name }, head],
        ...gone.map(({ id }): [RecordKey, undefined] => [id, undefined]),
      ]),
    ]
  }
}

const macText = (i: number) => `02:00:00:00:00:${i.toString(16).padStart(2, '0')}`
const hosts = [0, 1, 2]
const vni = fc.constantFrom(100, 200)
const mac = fc.integer({ min: 1, max: 12 })

const network = (name: string, number: number) =>
  fc
    .record({
      arp: fc.constantFrom('suppress' as const, 'flood' as const),
      learning: fc.constantFrom('control' as const, 'dataplane' as const, 'static' as const),
      on: fc.subarray(hosts),
      declared: fc.uniqueArray(fc.tuple(mac, fc.nat(3)), { selector: ([key]) => key, maxLength: 4 }),
    })
    .map(({ learning, arp, on, declared }): NetworkSpec => {
      const ports = on.map((i) => ({ node: `host${i}`, interface: `${name}0` }))
      const statics = declared.map(([key, where]) =>
        where === 3
          ? { mac: macText(key), remote: '10.9.9.9' }
          : { mac: macText(key), node: `host${where}`, ip: `10.1.0.${key % 4}` },
      )
      return {
        ...plainNetwork,
        name,
        vni: number,
        learning,
        arp,
        ports,
        static: statics,
        remotes: ['10.9.9.9'],
      }
    })

const desired: fc.Arbitrary<DesiredTopology> = fc
  .tuple(
    fc.option(network('red', 100), { nil: undefined }),
    fc.option(network('blue', 200), { nil: undefined }),
  )
  .map(([red, blue]) => ({
    name: 'lab',
    description: '',
    nodes: hosts.map((i) => ({
      name: `host${i}`,
      underlay: { dev: 'eth0', address: `10.0.0.${i + 1}`, prefix_length: 24, port: 4789 },
    })),
    networks: [red, blue].filter((one) => one !== undefined),
  }))

type Step =
  | { readonly do: 'apply'; readonly desired: DesiredTopology }
  | { readonly do: 'page'; readonly vni: number; readonly host: number; readonly macs: readonly number[] }
  | { readonly do: 'remove' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('apply' as const), desired }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('page' as const),
      vni,
      host: fc.nat(2),
      macs: fc.uniqueArray(mac, { maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const) }) },
)

function run(store: Store, action: Step, turn: number): StoreEvent[] {
  switch (action.do) {
    case 'apply':
      return store.apply(action.desired, `e${turn}`)
    case 'remove':
      return store.write(
        [...store.keys.values()].filter(({ id }) => id.kind !== 'page').map(({ id }) => [id, undefined]),
      )
    case 'page': {
      const entry = (i: number) => ({
        interface: 'red0',
        seq: turn % 4,
        since: turn % 3,
        addresses:
          turn % 5 === 0 ? [] : [{ ip: canonicalIp(`10.1.0.${((i + turn) % 7) + 1}`), router: i % 2 === 0 }],
      })
      const page = new Map(action.macs.map((i) => [(0x020000000000 + i) as Mac, entry(i)]))
      const id: RecordKey = { kind: 'page', vni: action.vni, vtep: `10.0.0.${action.host + 1}`, page: 0 }
      return store.write([[id, page.size > 0 ? encodePage(page) : undefined]])
    }
  }
}

/** All that nodes are told, without how it came about. */
function told(view: ClusterView): unknown {
  return {
    nodes: view.nodes,
    topologies: [...view.topologies].map(([name, topology]) => [name, topology.desired, topology.source]),
    tables: new Map(
      [...view.tables].map(([number, table]) => [
        number,
        {
          spec: table.spec,
          hash: table.hash,
          entries: new Map(table.entries),
          bindings: new Map(table.bindings),
        },
      ]),
    ),
    quarantine: view.quarantine,
  }
}

describe('the view', () => {
  it('is a function of the current keys, however the events were cut into batches', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 25 }), (steps) => {
        const store = new Store()
        const view = new ClusterView()
        let batch: StoreEvent[] = []
        for (const [turn, [action, flush]] of steps.entries()) {
          batch.push(...run(store, action, turn))
          if (!flush) continue
          view.apply(batch, store.revision)
          batch = []
        }
        view.apply(batch, store.revision)
        const fresh = new ClusterView()
        fresh.apply([...store.keys.values()], store.revision)
        expect(told(view)).toEqual(told(fresh))
      }),
      { numRuns: 300 },
    )
  })

  it('after a list that follows lost events is what it would have been', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(2)), { maxLength: 25 }), (steps) => {
        const store = new Store()
        const view = new ClusterView()
        const mirror = new Mirror()
        const feed = (events: StoreEvent[]) => {
          mirror.apply(events)
          view.apply(events, store.revision)
        }
        for (const [turn, [action, lost]] of steps.entries()) {
          const events = run(store, action, turn)
          feed(lost === 0 ? events : lost === 1 ? [] : events.slice(1))
        }
        feed(mirror.diff([...store.keys.values()], store.revision))
        const fresh = new ClusterView()
        fresh.apply([...store.keys.values()], store.revision)
        expect(told(view)).toEqual(told(fresh))
        expect(mirror.diff([...store.keys.values()], store.revision)).toEqual([])
      }),
    )
  })

  it('tells which segments changed, and leaves the others alone', () => {
    const store = new Store()
    const view = new ClusterView()
    const both = fc.sample(
      fc.tuple(network('red', 100), network('blue', 200)).filter(([red]) => red.learning === 'control'),
      { numRuns: 1, seed: 1 },
    )[0]!
    const [red, blue] = both.map((one) => ({
      ...one,
      learning: 'control' as const,
      ports: [{ node: 'host0', interface: one.name }],
    }))
    const lab = { ...fc.sample(desired, { numRuns: 1, seed: 1 })[0]!, networks: [red!, blue!] }
    expect(view.apply(store.apply(lab, 'a'), store.revision).vnis).toEqual(new Set([100, 200]))
    const before = view.tables.get(200)!.revision
    const page = run(store, { do: 'page', vni: 100, host: 0, macs: [200] }, 1)
    expect(view.apply(page, store.revision)).toMatchObject({ topologies: false, vnis: new Set([100]) })
    const edited = { ...lab, networks: [{ ...red!, mtu: 1400 }, blue!] }
    expect(view.apply(store.apply(edited, 'b'), store.revision).vnis).toEqual(new Set([100]))
    expect(view.tables.get(200)!.revision).toBe(before)
  })
})

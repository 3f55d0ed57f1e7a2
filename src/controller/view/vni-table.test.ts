import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalIp } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import { plainSpec } from '../../model/segment.fixture.js'
import type { BindingChange, BodyChange } from '../../model/segment-body.js'
import type { SegmentSpec, SegmentTable } from '../../model/segment-table.js'
import { applySegmentUpdate } from '../../model/segment-update.js'
import { SetHash } from '../../model/set-hash.js'
import { VniTable } from './vni-table.js'

const vteps = ['10.0.0.1', '10.0.0.2', 'fd00::1'].map(canonicalIp)

function spec(members: number): SegmentSpec {
  return {
    ...plainSpec,
    network: 'red',
    members: vteps.slice(0, members),
  }
}

const change: fc.Arbitrary<BodyChange> = fc.record({
  mac: fc.integer({ min: 2, max: 40 }).map((value) => value as Mac),
  entry: fc.option(fc.record({ vtep: fc.constantFrom(...vteps), static: fc.boolean() }), { nil: undefined }),
})

const bound: fc.Arbitrary<BindingChange> = fc.record({
  ip: fc.integer({ min: 1, max: 20 }).map((i) => canonicalIp(`10.1.0.${i}`)),
  binding: fc.option(
    fc.record({ mac: fc.integer({ min: 2, max: 9 }).map((value) => value as Mac), router: fc.boolean() }),
    { nil: undefined },
  ),
})

type Step =
  | {
      readonly do: 'change'
      readonly changes: readonly BodyChange[]
      readonly bindings: readonly BindingChange[]
      readonly members: number | undefined
    }
  | { readonly do: 'sync'; readonly node: number }
  | { readonly do: 'forget'; readonly node: number }
  | { readonly do: 'restart' }

const node = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      changes: fc.array(change, { maxLength: 6 }),
      bindings: fc.array(bound, { maxLength: 6 }),
      members: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('sync' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
)

/** A controller's table and three nodes that follow it now and then. */
class World {
  table = new VniTable(100, spec(1), 1n)
  revision = 1n
  readonly nodes: (SegmentTable | undefined)[] = [undefined, undefined, undefined]

  run(action: Step): void {
    switch (action.do) {
      case 'change':
        this.revision++
        this.table.update(
          this.revision,
          action.changes,
          action.members === undefined ? undefined : spec(action.members),
          action.bindings,
        )
        return
      case 'sync':
        this.sync(action.node)
        return
      case 'forget':
        this.nodes[action.node] = undefined
        return
      case 'restart': {
        // Another controller reads the same keys later, and knows no history.
        const { entries, bindings, spec: segment } = this.table
        this.table = new VniTable(100, segment, ++this.revision)
        this.table.update(
          this.revision,
          [...entries].map(([mac, entry]) => ({ mac, entry })),
          undefined,
          [...bindings].map(([ip, binding]) => ({ ip, binding })),
        )
      }
    }
  }

  sync(at: number): void {
    for (const update of this.table.updatesFrom(this.nodes[at])) {
      const after = applySegmentUpdate(this.nodes[at], update)
      if (!after) throw new Error(`${update.kind} from ${update.from_revision} does not fit`)
      this.nodes[at] = after
    }
    const held = this.nodes[at]!
    expect(held.revision).toBe(this.table.revision)
    expect(held.hash).toBe(this.table.hash)
    expect(held.spec).toEqual(this.table.spec)
    expect(new Map(held.entries)).toEqual(new Map(this.table.entries))
    expect(new Map(held.bindings)).toEqual(new Map(this.table.bindings))
    expect(SetHash.of(held.entries, held.bindings)).toBe(held.hash)
  }
}

describe('a table', () => {
  it('brings every node to what it holds, from wherever the node is', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World()
        for (const action of steps) world.run(action)
        for (const at of [0, 1, 2]) world.sync(at)
      }),
      { numRuns: 300 },
    )
  })

  it('says unchanged, then a delta, then a snapshot to who is too far behind', () => {
    const table = new VniTable(100, spec(1), 1n)
    const start = { revision: table.revision, hash: table.hash }
    expect(table.updatesFrom(start).map(({ kind }) => kind)).toEqual(['unchanged'])
    const put = (mac: number) => [{ mac: mac as Mac, entry: { vtep: vteps[0]!, static: false } }]
    table.update(2n, put(2))
    expect(table.updatesFrom(start).map(({ kind }) => kind)).toEqual(['delta'])
    for (let i = 3; i < 400; i++) table.update(BigInt(i), put(i))
    expect(table.updatesFrom(start).map(({ kind }) => kind)).toEqual(['snapshot'])
  })

  it('makes an update once for all who need it', () => {
    const table = new VniTable(100, spec(1), 1n)
    const start = { revision: table.revision, hash: table.hash }
    table.update(2n, [{ mac: 2 as Mac, entry: { vtep: vteps[0]!, static: false } }])
    expect(table.updatesFrom(start)[0]).toBe(table.updatesFrom(start)[0])
    expect(table.updatesFrom(undefined)[0]).toBe(table.updatesFrom(undefined)[0])
  })

  it('is not another when nothing in it changed', () => {
    const table = new VniTable(100, spec(1), 1n)
    const put = [{ mac: 2 as Mac, entry: { vtep: vteps[0]!, static: false } }]
    expect(table.update(2n, put)).toBe(true)
    expect(table.update(3n, put, spec(1))).toBe(false)
    expect(table.revision).toBe(2n)
  })

  it('is refused by a node whose update got lost', () => {
    const table = new VniTable(100, spec(1), 1n)
    const held = applySegmentUpdate(undefined, table.snapshot())!
    const put = (mac: number) => [{ mac: mac as Mac, entry: { vtep: vteps[0]!, static: false } }]
    table.update(2n, put(2))
    const before = { revision: table.revision, hash: table.hash }
    table.update(3n, put(3))
    expect(applySegmentUpdate(held, table.updatesFrom(before)[0]!)).toBeUndefined()
  })
})

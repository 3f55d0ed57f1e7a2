import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { WeftError } from '../../src/common/errors.js'
import { possibleCpus } from '../../src/node/bpf/kernel-info.js'
import { BpfMap } from '../../src/node/bpf/map.js'
import { BpfObject } from '../../src/node/bpf/object.js'
import { PerCpuMap } from '../../src/node/bpf/per-cpu-map.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { type Fixture, makeFixture, type PairKey, type PairValue, specs } from './ffi-fixture.js'

let fixture: Fixture
let path: string
let object: BpfObject
let round = 0

beforeAll(() => {
  fixture = makeFixture()
  path = fixture.compile('ffi')
})
afterAll(() => fixture.remove())
beforeEach(() => {
  object = BpfObject.open(path, { pinRoot: join(fixture.bpffs, `${++round}`) })
  object.load()
  onTestFinished(() => object[Symbol.dispose]())
})

function pinned(name: string): string {
  return join(fixture.bpffs, `${round}`, name)
}

function pairs(count: number, first = 0): [PairKey, PairValue][] {
  return Array.from({ length: count }, (_, i) => [{ id: first + i }, { low: i, high: 2 * i }])
}

function byId(entries: [PairKey, PairValue][]): [PairKey, PairValue][] {
  return entries.toSorted(([a], [b]) => a.id - b.id)
}

/** The error that `work` throws. */
function thrown(work: () => unknown): WeftError {
  try {
    work()
  } catch (err) {
    expect(err).toBeInstanceOf(WeftError)
    return err as WeftError
  }
  throw new Error('nothing was thrown')
}

describe('BpfMap', () => {
  it('gets what was set, and answers a miss with undefined', () => {
    const map = object.map('pairs', specs.pairs)
    map.set({ id: 1 }, { low: 2, high: 0xffff_ffff })

    expect(map.get({ id: 1 })).toEqual({ low: 2, high: 0xffff_ffff })
    expect(map.get({ id: 2 })).toBeUndefined()
  })

  it('says whether a deleted key was there', () => {
    const map = object.map('pairs', specs.pairs)
    map.set({ id: 1 }, { low: 0, high: 0 })

    expect(map.delete({ id: 1 })).toBe(true)
    expect(map.delete({ id: 1 })).toBe(false)
  })

  it('outlives its object', () => {
    const map = object.map('pairs', specs.pairs)
    object[Symbol.dispose]()
    map.set({ id: 1 }, { low: 0, high: 0 })
    expect(map.entries()).toHaveLength(1)
  })

  it('shares a pinned map with who opens it by path', () => {
    object.map('pairs', specs.pairs).set({ id: 1 }, { low: 2, high: 3 })
    using map = BpfMap.open(pinned('pairs'), specs.pairs)

    expect(map.get({ id: 1 })).toEqual({ low: 2, high: 3 })
    expect(map.maxEntries).toBe(64)
  })

  it('refuses a pinned map of another size, and says which', () => {
    const spec = { ...specs.pairs, value: { ...specs.pairs.value, size: 16 } }
    expect(thrown(() => BpfMap.open(pinned('pairs'), spec))).toMatchObject({
      code: 'W-2102',
      message: `map ${pinned('pairs')} was made by another build: value 8, not 16`,
    })
  })

  it('refuses a map of another type', () => {
    const spec = { ...specs.pairs, type: 9 }
    expect(thrown(() => object.map('pairs', spec))).toMatchObject({ code: 'W-2102' })
  })

  it('names the errno when nothing is pinned there', () => {
    expect(thrown(() => BpfMap.open(pinned('nothing'), specs.pairs))).toMatchObject({
      code: 'W-2101',
      errno: 'ENOENT',
      message: `bpf_obj_get (${pinned('nothing')}): ENOENT`,
    })
  })
})

describe('batches', () => {
  it.each([0, 1, 4096, 4097, 20_000])('write and read back %i entries', (count) => {
    const map = object.map('many', specs.many)
    map.setMany(pairs(count))
    expect(byId(map.entries())).toEqual(pairs(count))
  })

  it('upsert: entries that exist are overwritten', () => {
    const map = object.map('many', specs.many)
    map.setMany(pairs(10))
    map.setMany([[{ id: 3 }, { low: 77, high: 77 }]])
    expect(map.entries()).toHaveLength(10)
    expect(map.get({ id: 3 })).toEqual({ low: 77, high: 77 })
  })

  it('tell how many entries went in when the map is full', () => {
    const map = object.map('pairs', specs.pairs)
    map.setMany(pairs(60))

    const full = thrown(() => map.setMany(pairs(10, 100)))

    expect(full).toMatchObject({ code: 'W-2106', details: { done: 4, maxEntries: 64 } })
    expect(map.entries()).toHaveLength(64)
    expect(thrown(() => map.set({ id: 999 }, { low: 0, high: 0 })).code).toBe('W-2106')
  })

  it('count over chunks when the map is full', () => {
    using map = BpfMap.open(pinned('pairs'), specs.pairs, { chunkEntries: 10 })
    expect(thrown(() => map.setMany(pairs(100))).details['done']).toBe(64)
  })

  it('let a full map change what it holds', () => {
    const map = object.map('pairs', specs.pairs)
    map.setMany(pairs(64))
    map.setMany([[{ id: 63 }, { low: 1, high: 1 }]])
    expect(map.get({ id: 63 })).toEqual({ low: 1, high: 1 })
  })

  it('grow the chunk when one hash bucket holds more', () => {
    // 64 entries in 64 buckets: some bucket has two or more, and a chunk is one.
    using map = BpfMap.open(pinned('pairs'), specs.pairs, { chunkEntries: 1 })
    map.setMany(pairs(64))
    expect(byId(map.entries())).toEqual(pairs(64))
  })

  it('read arrays, whose position is a key', () => {
    const map = object.map('slots', specs.slots)
    map.set({ id: 9 }, { low: 1, high: 2 })
    const entries = map.entries()
    expect(entries).toHaveLength(10)
    expect(entries[9]).toEqual([{ id: 9 }, { low: 1, high: 2 }])
  })

  it('delete what is there and pass over what is not', () => {
    const map = object.map('many', specs.many)
    map.setMany(pairs(10_000))
    const keys = [{ id: 50_000 }, ...pairs(9999).map(([key]) => key), { id: 0 }, { id: 60_000 }]

    expect(map.deleteMany(keys)).toBe(9999)
    expect(map.entries()).toEqual([[{ id: 9999 }, { low: 9999, high: 19_998 }]])
  })
})

describe('PerCpuMap', () => {
  it('has a value for each possible CPU, and adds them up', () => {
    const map = object.perCpuMap('counts', specs.counts)
    const frame = new Uint8Array(60)
    testRun(object.program('first'), frame)
    testRun(object.program('first'), frame)
    testRun(object.program('second'), frame)

    expect(map.get({ id: 1 })).toHaveLength(possibleCpus())
    expect(map.getSummed({ id: 1 })).toEqual({ packets: 2, bytes: 120 })
    expect(map.entriesSummed().toSorted(([a], [b]) => a.id - b.id)).toEqual([
      [{ id: 1 }, { packets: 2, bytes: 120 }],
      [{ id: 2 }, { packets: 1, bytes: 60 }],
    ])
  })

  it('answers a miss with undefined, and deletes', () => {
    const map = object.perCpuMap('counts', specs.counts)
    testRun(object.program('second'), new Uint8Array(60))

    expect(map.get({ id: 5 })).toBeUndefined()
    expect(map.delete({ id: 2 })).toBe(true)
    expect(map.entries()).toEqual([])
  })

  it('refuses a map of another type', () => {
    expect(thrown(() => PerCpuMap.open(pinned('pairs'), specs.counts)).code).toBe('W-2102')
  })
})

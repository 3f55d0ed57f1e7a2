import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { BpfObject, type BpfProgram } from '../../src/node/bpf/object.js'
import { type RingOptions, RingReader } from '../../src/node/bpf/ring.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { type Fixture, makeFixture } from './ffi-fixture.js'

// `emit` reserves three records of 8 bytes, numbered from skb->mark on, and
// discards the middle one: 48 bytes of the 4096-byte ring.
const TAC_SHOT = 2
const EBADF = 9
const frame = new Uint8Array(60)
let fixture: Fixture
let object: BpfObject
let emit: BpfProgram

beforeAll(() => {
  fixture = makeFixture()
  fixture.compile('ffi')
})
afterAll(() => fixture.remove())
beforeEach(() => {
  object = BpfObject.open(join(fixture.dir, 'ffi.bpf.o'), { pinRoot: join(fixture.bpffs, 'ring') })
  object.load()
  onTestFinished(() => object[Symbol.dispose]())
  emit = object.program('emit')
})

function numbered(mark: number): number {
  return testRun(emit, frame, { ctx: { mark } }).verdict
}

function read(opts?: RingOptions): { numbers: number[]; reader: RingReader } {
  const numbers: number[] = []
  const reader = new RingReader(
    object.mapFd('ring'),
    (view, at) => numbers.push(view.getUint32(at + 4, true)),
    opts,
  )
  onTestFinished(() => reader[Symbol.dispose]())
  return { numbers, reader }
}

describe('RingReader', () => {
  it('is woken, and reads records in order without the discarded', async () => {
    const { numbers, reader } = read()
    numbered(10)
    numbered(20)
    await vi.waitFor(() => expect(numbers).toEqual([10, 12, 20, 22]))
    expect(reader.count).toBe(4)
  })

  it('reads what was there before it', async () => {
    numbered(10)
    const { numbers } = read()
    await vi.waitFor(() => expect(numbers).toEqual([10, 12]))
  })

  it.each([0, 5])('is woken again after a hold of %i ms', async (holdMs) => {
    const { numbers } = read({ holdMs })
    for (let i = 0; i < 5; i++) {
      numbered(10 * i)
      await vi.waitFor(() => expect(numbers).toHaveLength(2 * (i + 1)))
    }
  })

  it('gives room back: more passes through than the ring holds, round its end', () => {
    const { numbers, reader } = read()
    for (let i = 0; i < 1000; i++) {
      expect(numbered(3 * i)).not.toBe(TAC_SHOT)
      if (i % 50 === 0) reader.drain()
    }
    reader.drain()
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => [3 * i, 3 * i + 2]).flat())
  })

  it('leaves it to the program to see that a record did not fit', () => {
    let fits = 0
    while (numbered(0) !== TAC_SHOT) fits++
    expect(fits).toBe(Math.floor((4096 - 1) / 48))
  })

  it('goes on with the next record when one cannot be read', async () => {
    const errors: unknown[] = []
    let records = 0
    const reader = new RingReader(
      object.mapFd('ring'),
      () => {
        records++
        throw new Error('unreadable')
      },
      { onError: (error) => errors.push(error) },
    )
    onTestFinished(() => reader[Symbol.dispose]())

    numbered(10)
    await vi.waitFor(() => expect(records).toBe(2))
    numbered(20)
    await vi.waitFor(() => expect(records).toBe(4))
    expect(errors).toHaveLength(4)
  })

  it('goes on reading after an error of poll', async () => {
    const errors: unknown[] = []
    const { numbers, reader } = read({ onError: (error) => errors.push(error) })
    const inner = reader as unknown as { woken(status: number): void }
    const woken = inner.woken.bind(reader)
    inner.woken = (status) => woken(errors.length === 0 ? -EBADF : status)
    numbered(10)
    await vi.waitFor(() => expect(errors).toHaveLength(1))
    expect(String(errors[0])).toContain('EBADF')
    numbered(20)
    await vi.waitFor(() => expect(numbers).toEqual([10, 12, 20, 22]), 10_000)
    numbered(30)
    await vi.waitFor(() => expect(numbers).toHaveLength(6), 10_000)
  })

  it('runs promises that are resolved while it reads', async () => {
    const first = new Promise<number>((resolve) => {
      const reader = new RingReader(object.mapFd('ring'), (view, at) => resolve(view.getUint32(at + 4, true)))
      onTestFinished(() => reader[Symbol.dispose]())
    })
    numbered(30)
    expect(await first).toBe(30)
  })

  it('leaves memory readable for as long as somebody holds a view of it', () => {
    let kept: DataView | undefined
    const reader = new RingReader(object.mapFd('ring'), (view) => {
      kept = view
    })
    numbered(10)
    reader.drain()
    reader[Symbol.dispose]()
    object[Symbol.dispose]()
    expect(kept?.getUint32(12, true)).toBe(10)
  })

  it('lets the next reader go on where the last one stopped', () => {
    const { numbers: before, reader } = read()
    numbered(10)
    reader.drain()
    reader[Symbol.dispose]()
    numbered(20)
    const { numbers: after, reader: next } = read()
    next.drain()
    expect([before, after]).toEqual([
      [10, 12],
      [20, 22],
    ])
  })

  it('refuses a map that is no ring', () => {
    expect(() => new RingReader(object.mapFd('pairs'), () => {})).toThrow(
      'map of type 1 is not a ring buffer',
    )
  })
})

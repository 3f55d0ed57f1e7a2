import { describe, expect, it } from 'vitest'
import { type RingMemory, readRing } from './ring-memory.js'

const SIZE = 64
const BUSY = 0x8000_0000
const DISCARD = 0x4000_0000

/** A ring in plain memory; `put` plays the kernel. */
function ring(start = 0n): {
  memory: RingMemory
  put: (number: number, bits?: number) => number
  commit: (at: number) => void
} {
  const data = new ArrayBuffer(2 * SIZE)
  const memory: RingMemory = {
    consumer: BigUint64Array.of(start),
    producer: Uint32Array.of(Number(start & 0xffff_ffffn)),
    headers: new Uint32Array(data),
    data: new DataView(data),
    size: SIZE,
  }
  // The kernel maps the data twice; here both halves are written.
  const word = (at: number, value: number): void => {
    memory.headers[(at % SIZE) / 4] = value
    memory.headers[(at % SIZE) / 4 + SIZE / 4] = value
  }
  let end = Number(start)
  return {
    memory,
    put(number, bits = 0) {
      const at = end
      word(at, (4 | bits) >>> 0)
      word(at + 8, number)
      end += 16
      memory.producer[0] = end
      return at
    },
    commit: (at) => word(at, 4),
  }
}

function read(memory: RingMemory): number[] {
  const numbers: number[] = []
  readRing(memory, (view, offset, length) => {
    expect(length).toBe(4)
    numbers.push(view.getUint32(offset, true))
  })
  return numbers
}

describe('readRing', () => {
  it('reads nothing from an empty ring, and stores nothing', () => {
    const { memory } = ring(48n)
    expect(read(memory)).toEqual([])
    expect(memory.consumer[0]).toBe(48n)
  })

  it('reads records in order and moves the consumer once past all', () => {
    const { memory, put } = ring()
    put(1)
    put(2)
    expect(read(memory)).toEqual([1, 2])
    expect(memory.consumer[0]).toBe(32n)
  })

  it('stops at a busy record, though later ones are ready, and goes on once it is submitted', () => {
    const { memory, put, commit } = ring()
    put(1)
    const at = put(2, BUSY)
    put(3)
    expect(read(memory)).toEqual([1])
    expect(memory.consumer[0]).toBe(16n)
    expect(read(memory)).toEqual([])
    commit(at)
    expect(read(memory)).toEqual([2, 3])
  })

  it('passes over discarded records', () => {
    const { memory, put } = ring()
    put(1, DISCARD)
    put(2)
    put(3, DISCARD)
    expect(read(memory)).toEqual([2])
    expect(memory.consumer[0]).toBe(48n)
  })

  it('reads on across the end of the data, and across 4 GiB', () => {
    const { memory, put } = ring(2n ** 32n - 32n)
    put(1)
    put(2)
    put(3)
    expect(read(memory)).toEqual([1, 2, 3])
    expect(memory.consumer[0]).toBe(2n ** 32n + 16n)
  })
})

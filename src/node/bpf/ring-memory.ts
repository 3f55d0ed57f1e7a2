import type { RecordReader } from './ring.js'

/** A ring as it lies in memory (Linux, Documentation/bpf/ringbuf.rst). */
export interface RingMemory {
  /** Position up to which we have read; the kernel reads it. */
  readonly consumer: BigUint64Array
  /** Low half of the position up to which records are reserved. */
  readonly producer: Uint32Array
  /** The data as words, twice in a row. */
  readonly headers: Uint32Array
  /** The same as bytes. */
  readonly data: DataView
  /** Bytes of data, a power of two. */
  readonly size: number
}

const BUSY = 0x8000_0000 // BPF_RINGBUF_BUSY_BIT: reserved, not yet submitted
const DISCARD = 0x4000_0000 // BPF_RINGBUF_DISCARD_BIT: submitted as void
const HEADER = 8

/**
 * Reads the records submitted so far, in order, and gives their room back.
 * Stops at one that is still being written, even when later ones are ready.
 *
 * Positions are 64 bits and only grow; their low halves tell the distance, since
 * a ring is far smaller than 4 GiB.
 *
 * @returns how many records were read, without discarded ones
 */
export function readRing(memory: RingMemory, read: RecordReader): number {
  const { consumer, producer, headers, data, size } = memory
  const start = Number(consumer[0])
  const available = (Atomics.load(producer, 0) - start) >>> 0
  let count = 0
  let passed = 0
  while (passed < available) {
    const at = (start + passed) & (size - 1)
    const header = Atomics.load(headers, at >>> 2)
    if ((header & BUSY) !== 0) break
    const length = header & ~(BUSY | DISCARD)
    if ((header & DISCARD) === 0) {
      read(data, at + HEADER, length)
      count++
    }
    passed += (length + HEADER + 7) & ~7
  }
  // One store for all: the kernel may reuse the room from here on.
  if (passed > 0) Atomics.store(consumer, 0, BigInt(start + passed))
  return count
}

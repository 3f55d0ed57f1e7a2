import { type Mac, writeMac } from '../../src/model/mac.js'

/** A small generator with a seed, so that a failure can be run again (mulberry32). */
export function randomFrom(seed: number) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  return {
    /** From 0 to `limit - 1`. */
    below: (limit: number) => next() % limit,
    pick: <T>(values: readonly T[]): T => values[next() % values.length]!,
    bytes: (length: number) => Uint8Array.from({ length }, next),
  }
}

export type Random = ReturnType<typeof randomFrom>

const etherTypes = [0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x88cc, 0x0000, 0xffff]

/**
 * Noise behind an Ethernet header. Half of the addresses are of `stations`, and
 * half of the types are real ones where there is room for an IP header (the
 * kernel takes no shorter ones into a test run), so that all branches are met.
 */
export function randomFrame(random: Random, stations: readonly Mac[], longest = 1514): Uint8Array {
  const frame = random.bytes(14 + random.below(longest - 13))
  if (random.below(2)) writeMac(random.pick(stations), frame, 0)
  if (random.below(2)) writeMac(random.pick(stations), frame, 6)
  if (frame.length >= 54 && random.below(2)) new DataView(frame.buffer).setUint16(12, random.pick(etherTypes))
  return frame
}

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
    bytes: (length: number) => {
      const words = new Uint32Array((length + 3) >>> 2)
      for (let i = 0; i < words.length; i++) words[i] = next()
      return new Uint8Array(words.buffer, 0, length)
    },
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

/** How many damaged frames each program has to stand: a million between them before a release, half of it each time. */
export const fuzzFrames = Number(process.env['WEFT_FUZZ_FRAMES'] ?? 250_000)

/**
 * Noise, or one of `models` that was damaged: bytes changed, or cut, or both. A model
 * reaches what noise never finds, such as the options of a neighbour advertisement.
 */
export function damagedFrame(
  random: Random,
  stations: readonly Mac[],
  models: readonly Uint8Array[],
  longest: number,
): Uint8Array {
  if (random.below(4) === 0) return randomFrame(random, stations, longest)
  const frame = Uint8Array.from(random.pick(models))
  if (random.below(2)) writeMac(random.pick(stations), frame, 0)
  if (random.below(4) === 0) writeMac(random.pick(stations), frame, 6)
  for (let changes = random.below(6); changes > 0; changes--) {
    frame[12 + random.below(frame.length - 12)] = random.below(256)
  }
  // The kernel takes no IP packet without its header into a test run.
  return random.below(2) || frame.length < 54
    ? frame
    : frame.subarray(0, 54 + random.below(frame.length - 53))
}

import { type Ip, ipToBytes } from './ip.js'
import type { Mac } from './mac.js'
import type { Binding, FdbEntry } from './segment-table.js'

const MASK = (1n << 64n) - 1n

/**
 * A 64-bit hash of a set of FDB entries and bindings: the sum modulo 2^64 of the hashes of
 * its members. Order does not matter and an entry can be taken out again, so
 * both ends keep it up incrementally and compare contents without sending them.
 * A revision cannot serve: after a restart nobody knows which MACs were removed.
 *
 * Guards against lost updates, not against an attacker.
 */
export class SetHash {
  private high = 0
  private low = 0

  add(mac: Mac, entry: FdbEntry): void {
    this.combine(mac, entry, 1)
  }

  remove(mac: Mac, entry: FdbEntry): void {
    this.combine(mac, entry, -1)
  }

  addBinding(ip: Ip, binding: Binding): void {
    this.combineBinding(ip, binding, 1)
  }

  removeBinding(ip: Ip, binding: Binding): void {
    this.combineBinding(ip, binding, -1)
  }

  /** The sum so far, 0 for the empty set. */
  get value(): bigint {
    return ((BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0)) & MASK
  }

  /** Goes on from an earlier `value`. */
  static from(value: bigint): SetHash {
    const hash = new SetHash()
    hash.high = Number(value >> 32n) | 0
    hash.low = Number(value & 0xffffffffn) | 0
    return hash
  }

  static of(
    entries: Iterable<readonly [Mac, FdbEntry]>,
    bindings: Iterable<readonly [Ip, Binding]> = [],
  ): bigint {
    const hash = new SetHash()
    for (const [mac, entry] of entries) hash.add(mac, entry)
    for (const [ip, binding] of bindings) hash.addBinding(ip, binding)
    return hash.value
  }

  // Two independent 32-bit lanes: BigInt arithmetic costs ten times as much.
  private combine(mac: Mac, entry: FdbEntry, sign: 1 | -1): void {
    this.sum(mac, vtepSeed(entry.vtep), entry.static ? 0x5bd1e995 : 0, sign)
  }

  private combineBinding(ip: Ip, binding: Binding, sign: 1 | -1): void {
    this.sum(binding.mac, addressSeed(ip), binding.router ? 0x3c6ef372 : 0x1b873593, sign)
  }

  private sum(mac: Mac, seed: number, flag: number, sign: 1 | -1): void {
    const macHigh = Math.floor(mac / 2 ** 32)
    const macLow = mac >>> 0
    this.high = (this.high + sign * mix(macLow ^ mix(macHigh ^ seed ^ flag, 0x9e3779b1), 0x85ebca6b)) | 0
    this.low = (this.low + sign * mix(macLow ^ mix(macHigh ^ ~seed ^ flag, 0xc2b2ae35), 0x27d4eb2f)) | 0
  }
}

/** MurmurHash3's finalizer with a seed: each input bit reaches each output bit. */
function mix(value: number, seed: number): number {
  let h = value ^ seed
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}

const seeds = new Map<Ip, number>()

function vtepSeed(vtep: Ip): number {
  let seed = seeds.get(vtep)
  if (seed === undefined) {
    seed = addressSeed(vtep)
    if (seeds.size > 65_536) seeds.clear()
    seeds.set(vtep, seed)
  }
  return seed
}

function addressSeed(ip: Ip): number {
  return ipToBytes(ip).reduce((h, byte) => mix(h ^ byte, 0x165667b1), 0)
}

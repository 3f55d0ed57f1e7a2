import { type Ip, ipFromBytes, ipToBytes } from '../../model/ip.js'

/**
 * How one C struct lies in memory. Generated codecs are straight-line code on
 * bytes: no DataView and no closure for each field, because reading a full FDB
 * back decodes 131,072 of them while the event loop waits.
 *
 * Host order is little-endian: Weft runs on x86-64 and arm64.
 */
export interface Codec<T> {
  /** Bytes of the struct, padding included. */
  readonly size: number
  /** Writes all `size` bytes at `offset`; padding becomes zero. */
  encode(value: T, out: Uint8Array, offset?: number): void
  decode(bytes: Uint8Array, offset?: number): T
}

export function readU8(bytes: Uint8Array, at: number): number {
  return bytes[at]!
}

export function writeU8(out: Uint8Array, at: number, value: number): void {
  out[at] = value
}

export function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8)
}

export function writeU16(out: Uint8Array, at: number, value: number): void {
  out[at] = value
  out[at + 1] = value >>> 8
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

export function writeU32(out: Uint8Array, at: number, value: number): void {
  out[at] = value
  out[at + 1] = value >>> 8
  out[at + 2] = value >>> 16
  out[at + 3] = value >>> 24
}

/** A counter as a double: exact below 2^53, that is 9 PB, or 104 days in nanoseconds. */
export function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 4) * 2 ** 32 + readU32(bytes, at)
}

export function writeU64(out: Uint8Array, at: number, value: number): void {
  writeU32(out, at, value >>> 0)
  writeU32(out, at + 4, Math.floor(value / 2 ** 32))
}

/** `__be16`: network order, whatever the host's. */
export function readBe16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

export function writeBe16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8
  out[at + 1] = value
}

/** `__be32`: network order, whatever the host's. */
export function readBe32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

export function writeBe32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value
}

/** `struct vtep_addr`: 16 bytes, IPv4 mapped. Zero reads as `::`, which is no VTEP. */
export function readIp(bytes: Uint8Array, at: number): Ip {
  const low = readU32(bytes, at + 12)
  if (readU64(bytes, at) === 0) {
    const middle = readBe32(bytes, at + 8)
    if (middle === 0xffff) return dotted(low)
    if (middle === 0 && low === 0) return '::' as Ip
  }
  return ipFromBytes(bytes.subarray(at, at + 16))
}

/** The inverse of {@link readIp}. */
export function writeIp(out: Uint8Array, at: number, ip: Ip): void {
  out.set(encodedIp(ip), at)
}

/**
 * Writes `used` elements and zeroes the rest of the C array: the kernel compares
 * and copies all of it.
 *
 * @throws RangeError when more elements are used than given, or than the array holds.
 */
export function writeArray<T>(
  values: readonly T[],
  used: number,
  capacity: number,
  stride: number,
  out: Uint8Array,
  at: number,
  write: (out: Uint8Array, at: number, value: T) => void,
): void {
  if (used > capacity) throw new RangeError(`${used} elements do not fit an array of ${capacity}`)
  if (used > values.length) throw new RangeError(`count says ${used} elements, the list has ${values.length}`)
  for (let i = 0; i < used; i++) write(out, at + i * stride, values[i]!)
  out.fill(0, at + used * stride, at + capacity * stride)
}

/** Reads `used` elements, at most `capacity`. */
export function readArray<T>(
  used: number,
  capacity: number,
  stride: number,
  bytes: Uint8Array,
  at: number,
  read: (bytes: Uint8Array, at: number) => T,
): T[] {
  const values: T[] = []
  const end = at + Math.min(used, capacity) * stride
  for (let element = at; element < end; element += stride) values.push(read(bytes, element))
  return values
}

// Tables repeat the same few VTEPs; parsing text for each entry would dominate.
const CACHED = 65_536
const texts = new Map<number, Ip>()
const encoded = new Map<Ip, Uint8Array>()

function dotted(low: number): Ip {
  let text = texts.get(low)
  if (text === undefined) {
    text = `${low & 255}.${(low >>> 8) & 255}.${(low >>> 16) & 255}.${low >>> 24}` as Ip
    if (texts.size >= CACHED) texts.clear()
    texts.set(low, text)
  }
  return text
}

function encodedIp(ip: Ip): Uint8Array {
  let bytes = encoded.get(ip)
  if (bytes === undefined) {
    bytes = ipToBytes(ip)
    if (encoded.size >= CACHED) encoded.clear()
    encoded.set(ip, bytes)
  }
  return bytes
}

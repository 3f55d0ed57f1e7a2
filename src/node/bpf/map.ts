import { WeftError } from '../../common/errors.js'
import type { Codec } from './codec.js'
import type { MapInfo } from './kernel-info.js'
import { RawMap } from './raw-map.js'

/** What the build says of a map; generated (`maps` in abi.gen.ts). */
export interface MapSpec<K, V> {
  readonly key: Codec<K>
  readonly value: Codec<V>
  /** `enum bpf_map_type`. */
  readonly type: number
  /** As compiled; a loader may set another. */
  readonly maxEntries: number
  /** One value for each possible CPU: open it as {@link PerCpuMap}. */
  readonly perCpu: boolean
}

/**
 * One open map, typed by its generated codecs. A miss is an answer, not an
 * error. Errors are SyscallError with the errno's name, or W-2106 when full.
 */
export class BpfMap<K, V> implements Disposable {
  private readonly key: Uint8Array
  private readonly value: Uint8Array

  /** @param raw owned from now on */
  constructor(
    private readonly raw: RawMap,
    private readonly spec: MapSpec<K, V>,
  ) {
    this.key = new Uint8Array(raw.keySize)
    this.value = new Uint8Array(raw.valueStride)
  }

  /**
   * Opens a pinned map.
   *
   * @param opts.chunkEntries most entries in one batch call, 4096 unless values are large
   * @throws WeftError W-2102 when its type or sizes are not those of this build
   * @throws SyscallError ENOENT when nothing is pinned at `path`
   */
  static open<K, V>(path: string, spec: MapSpec<K, V>, opts: { chunkEntries?: number } = {}): BpfMap<K, V> {
    return new BpfMap(checked(RawMap.pinned(path, plainStride, opts.chunkEntries), spec), spec)
  }

  /** For {@link BpfObject.map}: copies the descriptor. */
  static fromFd<K, V>(name: string, fd: number, spec: MapSpec<K, V>): BpfMap<K, V> {
    return new BpfMap(checked(RawMap.duplicate(name, fd, plainStride), spec), spec)
  }

  get fd(): number {
    return this.raw.fd
  }

  /** As the kernel has it: may differ from the build's. */
  get maxEntries(): number {
    return this.raw.info.maxEntries
  }

  get(key: K): V | undefined {
    this.spec.key.encode(key, this.key)
    return this.raw.lookup(this.key, this.value) ? this.spec.value.decode(this.value) : undefined
  }

  /** @throws WeftError W-2106 when the map is full */
  set(key: K, value: V): void {
    this.spec.key.encode(key, this.key)
    this.spec.value.encode(value, this.value)
    this.raw.update(this.key, this.value)
  }

  /** False when it was absent. */
  delete(key: K): boolean {
    this.spec.key.encode(key, this.key)
    return this.raw.remove(this.key)
  }

  /** All entries, by batches; see {@link RawMap.readAll} for what concurrent writes do. */
  entries(): [K, V][] {
    const { key, value } = this.spec
    const all: [K, V][] = []
    this.raw.readAll((keys, values, count) => {
      for (let i = 0; i < count; i++) {
        all.push([key.decode(keys, i * key.size), value.decode(values, i * value.size)])
      }
    })
    return all
  }

  /**
   * Upserts by batches.
   *
   * @throws WeftError W-2106 when the map is full; the first `details.done` entries are in
   */
  setMany(entries: Iterable<readonly [K, V]>): void {
    const { key, value } = this.spec
    const source = entries[Symbol.iterator]()
    this.raw.writeAll((keys, keyAt, values, valueAt) => {
      const next = source.next()
      if (next.done) return false
      key.encode(next.value[0], keys, keyAt)
      value.encode(next.value[1], values, valueAt)
      return true
    })
  }

  /** Deletes by batches, passing over what is absent; returns how many were there. */
  deleteMany(keys: Iterable<K>): number {
    const source = keys[Symbol.iterator]()
    return this.raw.removeAll((out, at) => {
      const next = source.next()
      if (next.done) return false
      this.spec.key.encode(next.value, out, at)
      return true
    })
  }

  [Symbol.dispose](): void {
    this.raw[Symbol.dispose]()
  }
}

/**
 * Refuses a map that another build made, and closes it.
 *
 * @throws WeftError W-2102
 */
export function checked<K, V>(raw: RawMap, spec: MapSpec<K, V>): RawMap {
  const kernel = { type: raw.info.type, key: raw.info.keySize, value: raw.info.valueSize }
  const build = { type: spec.type, key: spec.key.size, value: spec.value.size }
  const differs = (['type', 'key', 'value'] as const).filter((field) => kernel[field] !== build[field])
  if (differs.length === 0) return raw
  raw[Symbol.dispose]()
  const why = differs.map((field) => `${field} ${kernel[field]}, not ${build[field]}`).join('; ')
  throw new WeftError('W-2102', `map ${raw.name} was made by another build: ${why}`, {
    details: { map: raw.name, kernel, build },
  })
}

function plainStride(info: MapInfo): number {
  return info.valueSize
}

import type { Codec } from './codec.js'
import { type MapInfo, possibleCpus } from './kernel-info.js'
import { checked, type MapSpec } from './map.js'
import { RawMap } from './raw-map.js'

/**
 * A map with one value for each possible CPU (BPF_MAP_TYPE_PERCPU_*): programs
 * count without atomics, and the reader adds up. Written by programs only.
 *
 * User space sees the values side by side, each rounded up to 8 bytes
 * (linux/bpf.h, BPF_MAP_LOOKUP_ELEM).
 */
export class PerCpuMap<K, V> implements Disposable {
  private readonly key: Uint8Array
  private readonly values: Uint8Array
  private readonly step: number
  private readonly cpus = possibleCpus()

  private constructor(
    private readonly raw: RawMap,
    private readonly spec: MapSpec<K, V>,
  ) {
    this.key = new Uint8Array(raw.keySize)
    this.values = new Uint8Array(raw.valueStride)
    this.step = raw.valueStride / this.cpus
  }

  /**
   * Opens a pinned map.
   *
   * @throws WeftError W-2102 when its type or sizes are not those of this build
   * @throws SyscallError ENOENT when nothing is pinned at `path`
   */
  static open<K, V>(path: string, spec: MapSpec<K, V>): PerCpuMap<K, V> {
    return new PerCpuMap(checked(RawMap.pinned(path, perCpuStride), spec), spec)
  }

  /** For {@link BpfObject.perCpuMap}: copies the descriptor. */
  static fromFd<K, V>(name: string, fd: number, spec: MapSpec<K, V>): PerCpuMap<K, V> {
    return new PerCpuMap(checked(RawMap.duplicate(name, fd, perCpuStride), spec), spec)
  }

  get fd(): number {
    return this.raw.fd
  }

  get maxEntries(): number {
    return this.raw.info.maxEntries
  }

  /** One value for each possible CPU; `undefined` when absent. */
  get(key: K): V[] | undefined {
    this.spec.key.encode(key, this.key)
    return this.raw.lookup(this.key, this.values) ? this.decode(this.values, 0) : undefined
  }

  /** False when it was absent. */
  delete(key: K): boolean {
    this.spec.key.encode(key, this.key)
    return this.raw.remove(this.key)
  }

  entries(): [K, V[]][] {
    const { key } = this.spec
    const all: [K, V[]][] = []
    this.raw.readAll((keys, values, count) => {
      for (let i = 0; i < count; i++) {
        all.push([key.decode(keys, i * key.size), this.decode(values, i * this.raw.valueStride)])
      }
    })
    return all
  }

  /** Each entry with its members added up over the CPUs; for structs of numbers. */
  entriesSummed(): [K, V][] {
    return this.entries().map(([key, values]) => [key, sum(values)])
  }

  /** The members of one entry added up over the CPUs; `undefined` when absent. */
  getSummed(key: K): V | undefined {
    const values = this.get(key)
    return values && sum(values)
  }

  [Symbol.dispose](): void {
    this.raw[Symbol.dispose]()
  }

  private decode(bytes: Uint8Array, at: number): V[] {
    return readEach(this.spec.value, bytes, at, this.step, this.cpus)
  }
}

function readEach<V>(value: Codec<V>, bytes: Uint8Array, at: number, step: number, count: number): V[] {
  const values: V[] = []
  for (let i = 0; i < count; i++) values.push(value.decode(bytes, at + i * step))
  return values
}

function sum<V>(values: readonly V[]): V {
  const total = { ...values[0] } as Record<string, number>
  for (const value of values.slice(1) as Record<string, number>[]) {
    for (const member in value) total[member]! += value[member]!
  }
  return total as V
}

function perCpuStride(info: MapInfo): number {
  return Math.ceil(info.valueSize / 8) * 8 * possibleCpus()
}

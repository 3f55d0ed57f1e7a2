import { WeftError } from '../../common/errors.js'
import { check, checkErrno, E2BIG, ENOENT, ENOSPC, ENOTSUPP, errnoName } from './errno.js'
import { type MapInfo, mapInfo } from './kernel-info.js'
import * as sys from './libbpf.js'

const F_DUPFD_CLOEXEC = 1030
const CHUNK_ENTRIES = 4096 // larger gains nothing
const CHUNK_BYTES = 1 << 20

/**
 * One open map as bytes. Calls are synchronous on purpose: an operation takes
 * about a microsecond, less than a thread hop.
 *
 * Batch calls need Linux 5.6 for hashes and arrays (BPF_MAP_*_BATCH). Their
 * buffers are made once: two million entries a second leave no room for garbage.
 */
export class RawMap implements Disposable {
  readonly info: MapInfo
  private batch: { keys: Uint8Array; values: Uint8Array; capacity: number } | undefined
  private readonly count = new Uint32Array(1)
  private open = true

  /**
   * @param fd owned from now on
   * @param stride bytes of one value as user space sees it: for per-CPU maps, of all CPUs
   * @param chunkEntries most entries in one system call
   */
  private constructor(
    readonly name: string,
    readonly fd: number,
    readonly stride: (info: MapInfo) => number,
    private readonly chunkEntries = CHUNK_ENTRIES,
  ) {
    this.info = mapInfo(fd)
  }

  /** @throws SyscallError ENOENT when nothing is pinned at `path`, EACCES/EPERM without CAP_BPF */
  static pinned(path: string, stride: (info: MapInfo) => number, chunkEntries?: number): RawMap {
    return new RawMap(path, check('bpf_obj_get', sys.objGet(path), path), stride, chunkEntries)
  }

  /** Takes its own copy of the descriptor, so both sides close what is theirs. */
  static duplicate(name: string, fd: number, stride: (info: MapInfo) => number): RawMap {
    return new RawMap(name, checkErrno('fcntl', sys.fcntl(fd, F_DUPFD_CLOEXEC, 0), name), stride)
  }

  get keySize(): number {
    return this.info.keySize
  }

  get valueStride(): number {
    return this.stride(this.info)
  }

  /** False when absent. */
  lookup(key: Uint8Array, value: Uint8Array): boolean {
    const rc = sys.mapLookup(this.fd, key, value)
    if (rc === -ENOENT) return false
    check('bpf_map_lookup_elem', rc, this.name)
    return true
  }

  /** @throws WeftError W-2106 when the map is full */
  update(key: Uint8Array, value: Uint8Array): void {
    const rc = sys.mapUpdate(this.fd, key, value, 0)
    if (rc === -E2BIG) throw this.full(0)
    check('bpf_map_update_elem', rc, this.name)
  }

  /** False when absent. */
  remove(key: Uint8Array): boolean {
    const rc = sys.mapDelete(this.fd, key)
    if (rc === -ENOENT) return false
    check('bpf_map_delete_elem', rc, this.name)
    return true
  }

  /**
   * Reads all entries, chunk by chunk; `each` gets the buffers and how many
   * entries are in them. Not a snapshot: entries that come or go meanwhile may
   * be missing, but none is read twice.
   */
  readAll(each: (keys: Uint8Array, values: Uint8Array, count: number) => void): void {
    let { keys, values, capacity } = this.buffers()
    let from: Uint8Array<ArrayBuffer> | null = null
    // The position is a bucket number for hashes, a key for arrays.
    let to = new Uint8Array(Math.max(4, this.keySize))
    let spare = new Uint8Array(to.length)
    for (;;) {
      this.count[0] = capacity
      const rc = sys.mapLookupBatch(this.fd, from, to, keys, values, this.count, null)
      if (rc === -ENOSPC) {
        // One hash bucket holds more than a chunk; nothing was read.
        ;({ keys, values, capacity } = this.buffers(capacity * 2))
        continue
      }
      // ENOENT is the regular end, and comes with the last entries.
      if (rc !== -ENOENT) this.checkBatch('bpf_map_lookup_batch', rc)
      if (this.count[0] > 0) each(keys, values, this.count[0])
      if (rc === -ENOENT) return
      from = to
      to = spare
      spare = from
    }
  }

  /**
   * Upserts; `fill` writes the next entry at a position or says that there is
   * none. Entries before the one that failed are in the map.
   *
   * @throws WeftError W-2106 when the map is full; `details.done` says how many went in
   */
  writeAll(fill: (keys: Uint8Array, keyAt: number, values: Uint8Array, valueAt: number) => boolean): number {
    const { keys, values, capacity } = this.buffers()
    let done = 0
    for (;;) {
      let count = 0
      while (count < capacity && fill(keys, count * this.keySize, values, count * this.valueStride)) count++
      if (count === 0) return done
      this.count[0] = count
      const rc = sys.mapUpdateBatch(this.fd, keys, values, this.count, null)
      if (rc < 0) done += this.count[0]
      if (rc === -E2BIG) throw this.full(done)
      this.checkBatch('bpf_map_update_batch', rc, done)
      done += count
      if (count < capacity) return done
    }
  }

  /** Deletes; keys that are absent are passed over. Returns how many were there. */
  removeAll(fill: (keys: Uint8Array, at: number) => boolean): number {
    const { keys, capacity } = this.buffers()
    let removed = 0
    for (;;) {
      let count = 0
      while (count < capacity && fill(keys, count * this.keySize)) count++
      // The kernel stops at the first absent key: step over it and go on.
      for (let at = 0; at < count; ) {
        this.count[0] = count - at
        const rc = sys.mapDeleteBatch(this.fd, keys.subarray(at * this.keySize), this.count, null)
        if (rc !== -ENOENT) this.checkBatch('bpf_map_delete_batch', rc, removed)
        removed += this.count[0]
        at += this.count[0] + (rc === -ENOENT ? 1 : 0)
      }
      if (count < capacity) return removed
    }
  }

  [Symbol.dispose](): void {
    if (this.open) sys.close(this.fd)
    this.open = false
  }

  private buffers(atLeast?: number): { keys: Uint8Array; values: Uint8Array; capacity: number } {
    if (this.batch && (atLeast === undefined || this.batch.capacity >= atLeast)) return this.batch
    const fits = Math.floor(CHUNK_BYTES / (this.keySize + this.valueStride))
    const capacity = atLeast ?? Math.max(1, Math.min(this.chunkEntries, Math.max(16, fits)))
    this.batch = {
      keys: new Uint8Array(capacity * this.keySize),
      values: new Uint8Array(capacity * this.valueStride),
      capacity,
    }
    return this.batch
  }

  private checkBatch(call: string, rc: number, done?: number): void {
    if (rc === -ENOTSUPP) {
      throw new WeftError('W-2002', `${call} (${this.name}): this map type has no batch operations`, {
        details: { call, errno: errnoName(rc), map: this.name, type: this.info.type },
      })
    }
    check(call, rc, this.name, done === undefined ? undefined : { done })
  }

  private full(done: number): WeftError {
    return new WeftError(
      'W-2106',
      `map ${this.name} is full: it holds ${this.info.maxEntries} entries, and one more did not fit`,
      { details: { map: this.name, maxEntries: this.info.maxEntries, done } },
    )
  }
}

import koffi from 'koffi'
import { SyscallError, WeftError } from '../../common/errors.js'
import { check, checkErrno, errnoName } from './errno.js'
import { mapInfo } from './kernel-info.js'
import * as sys from './libbpf.js'
import { ReadablePoll } from './readable-poll.js'
import { type RingMemory, readRing } from './ring-memory.js'

const BPF_MAP_TYPE_RINGBUF = 27
const F_DUPFD_CLOEXEC = 1030
const PROT_READ = 1
const PROT_READ_WRITE = 3
const MAP_SHARED = 1
/** An error that stays must not keep the process busy. */
const ERROR_HOLD_MS = 1000

/** Reads one record in place: `length` bytes of `view` at `offset`, valid during the call only. */
export type RecordReader = (view: DataView, offset: number, length: number) => void

export interface RingOptions {
  /**
   * How long to sleep after each drain, so that a busy producer is not slowed by
   * waking us for each record: 5 ms make a wakeup 40 times cheaper for the
   * datapath. 0 when latency matters.
   */
  readonly holdMs?: number
  /** Gets what `read` throws, record by record. Without it that is an uncaught exception. */
  readonly onError?: (error: unknown) => void
}

/**
 * The one consumer of a BPF_MAP_TYPE_RINGBUF (Linux 5.8), reading the kernel's
 * memory in place.
 *
 *     fd ── page 0: consumer position (ours to write)
 *        ── page 1: producer position (read only)
 *        ── data, mapped twice in a row, so that no record is cut at the end
 *
 * Woken by poll(2), it drains, sleeps `holdMs`, drains again and only then waits
 * anew; after an error of poll(2) a second later. Does not keep the process alive.
 */
export class RingReader implements Disposable {
  private readonly fd: number
  private readonly memory: RingMemory
  private readonly poll: ReadablePoll
  private readonly holdMs: number
  private hold: NodeJS.Timeout | undefined
  private records = 0

  /**
   * @param mapFd copied: the caller may close it
   * @throws WeftError W-2102 when it is no ring
   */
  constructor(
    mapFd: number,
    private readonly read: RecordReader,
    private readonly opts: RingOptions = {},
  ) {
    this.holdMs = opts.holdMs ?? 5
    this.fd = checkErrno('fcntl', sys.fcntl(mapFd, F_DUPFD_CLOEXEC, 0), 'ring')
    try {
      this.memory = mapRing(this.fd)
    } catch (err) {
      sys.close(this.fd)
      throw err
    }
    this.poll = new ReadablePoll(this.fd, (status) => this.woken(status), { keepsProcessAlive: false })
    this.poll.arm()
  }

  /** Opens a pinned ring. @throws SyscallError ENOENT when nothing is pinned at `path` */
  static open(path: string, read: RecordReader, opts?: RingOptions): RingReader {
    const fd = check('bpf_obj_get', sys.objGet(path), path)
    try {
      return new RingReader(fd, read, opts)
    } finally {
      sys.close(fd)
    }
  }

  /** Records read so far. */
  get count(): number {
    return this.records
  }

  /** Reads what is there now; returns how many records. Need not be called, but may. */
  drain(): number {
    const count = readRing(this.memory, (view, offset, length) => {
      try {
        this.read(view, offset, length)
      } catch (error) {
        this.fail(error)
      }
    })
    this.records += count
    return count
  }

  /** Stops reading. What is in the ring stays for the next reader. */
  [Symbol.dispose](): void {
    this.poll[Symbol.dispose]()
    clearTimeout(this.hold)
    sys.close(this.fd)
  }

  private woken(status: number): void {
    if (status < 0) this.fail(new SyscallError('poll', errnoName(status), { what: 'ring' }))
    this.drain()
    this.hold = setTimeout(
      () => {
        this.drain()
        this.poll.arm()
      },
      status < 0 ? ERROR_HOLD_MS : this.holdMs,
    ).unref()
  }

  private fail(error: unknown): void {
    if (this.opts.onError) this.opts.onError(error)
    else
      setImmediate(() => {
        throw error
      })
  }
}

// The memory must stay mapped for as long as a view of it can be reached, or a
// late read would be a segmentation fault: the garbage collector unmaps it.
const unmapper = new FinalizationRegistry<{ address: sys.Pointer; length: number }>(({ address, length }) =>
  sys.munmap(address, length),
)

function mapRing(fd: number): RingMemory {
  const { type, maxEntries: size } = mapInfo(fd)
  if (type !== BPF_MAP_TYPE_RINGBUF) throw new WeftError('W-2102', `map of type ${type} is not a ring buffer`)
  const page = sys.getpagesize()
  const consumer = mapMemory(fd, page, PROT_READ_WRITE, 0)
  const producer = mapMemory(fd, page + 2 * size, PROT_READ, page)
  return {
    consumer: new BigUint64Array(consumer, 0, 1),
    producer: new Uint32Array(producer, 0, 1),
    headers: new Uint32Array(producer, page, (2 * size) / 4),
    data: new DataView(producer, page, 2 * size),
    size,
  }
}

function mapMemory(fd: number, length: number, protection: number, offset: number): ArrayBuffer {
  const address = sys.mmap(null, length, protection, MAP_SHARED, fd, offset)
  if (BigInt.asIntN(64, BigInt(address)) === -1n) {
    throw new SyscallError('mmap', errnoName(koffi.errno()), { what: 'ring' })
  }
  const memory = koffi.view(address, length)
  unmapper.register(memory, { address, length })
  return memory
}

import { readFileSync } from 'node:fs'
import koffi from 'koffi'
import { SyscallError, WeftError } from '../../common/errors.js'
import { writeU32 } from './codec.js'
import { type Elf, parseElf } from './elf.js'
import { ENOENT, errnoName } from './errno.js'
import { makeDirectory } from './features.js'
import { programInfo } from './kernel-info.js'
import * as sys from './libbpf.js'
import { withMessages } from './libbpf-log.js'
import { explainLoadFailure, type ProgramLog } from './load-failure.js'
import { BpfMap, type MapSpec } from './map.js'
import { PerCpuMap } from './per-cpu-map.js'

const LOG_BYTES = 1 << 20

export interface ObjectOptions {
  /** Directory on a bpffs for maps declared LIBBPF_PIN_BY_NAME; made when absent. */
  readonly pinRoot?: string
  /** By map name, where the compiled size does not fit. */
  readonly maxEntries?: Readonly<Record<string, number>>
  /** Values of `const volatile` integers, by variable name; read-only once loaded. */
  readonly rodata?: Readonly<Record<string, number>>
  /** Verifier log kept for each program that is refused; 1 MiB unless given. */
  readonly logBytes?: number
}

/** A program in the kernel. The descriptor belongs to its object. */
export interface BpfProgram {
  readonly fd: number
  readonly id: number
  readonly name: string
  /** Hash of the instructions: equal for equal code. */
  readonly tag: string
}

/**
 * One object file: opened, adjusted, loaded. Disposing closes descriptors; what
 * is pinned or attached through a pinned link stays and forwards on.
 *
 * libbpf 1.1 or later; loading needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (Linux 5.8).
 */
export class BpfObject implements Disposable {
  private loaded = false

  private constructor(
    readonly path: string,
    private handle: sys.Pointer | undefined,
    private readonly opts: ObjectOptions,
  ) {}

  /**
   * Reads the file and applies `opts`; nothing is in the kernel yet.
   *
   * @throws WeftError W-2005 when the file is not there
   * @throws WeftError W-2102 when `opts` names a map or variable that the object lacks
   */
  static open(path: string, opts: ObjectOptions = {}): BpfObject {
    const elf = readObject(path)
    const { result, messages } = withMessages(() => openHandle(path, opts.pinRoot))
    if (typeof result === 'number') {
      throw new SyscallError('bpf_object__open_file', errnoName(result), {
        what: path,
        details: { libbpf: messages },
      })
    }
    const object = new BpfObject(path, result, opts)
    try {
      object.resizeMaps(opts.maxEntries ?? {})
      object.writeRodata(elf, opts.rodata ?? {})
      return object
    } catch (err) {
      object[Symbol.dispose]()
      throw err
    }
  }

  /**
   * Creates maps, or takes over those pinned under `pinRoot` when they are the
   * same, and has the verifier check each program. All or nothing, but for pins
   * of maps that were already made.
   *
   * @throws WeftError W-2006 when the verifier refuses a program; `details.log` is the end of its log
   * @throws WeftError W-2102 when a pinned map is of another type or size
   * @throws WeftError W-2001 when privileges are missing, W-2002 when the kernel lacks a feature
   */
  load(): void {
    if (this.opts.pinRoot !== undefined) makeDirectory(this.opts.pinRoot)
    const size = this.opts.logBytes ?? LOG_BYTES
    const logs = this.programs().map((program): ProgramLog => {
      // libbpf keeps the pointer: it must be C memory, which never moves.
      const buffer: unknown = koffi.alloc('char', size)
      sys.programSetLogBuf(program, buffer, size)
      return { program: sys.programName(program), buffer, size }
    })
    try {
      const { result, messages } = withMessages(() => sys.objectLoad(this.live))
      if (result < 0) throw explainLoadFailure(this.path, result, logs, messages, this.maps())
      this.loaded = true
    } finally {
      for (const program of this.programs()) sys.programSetLogBuf(program, null, 0)
      for (const { buffer } of logs) koffi.free(buffer)
    }
  }

  /** @throws WeftError W-2102 when the object has no such program */
  program(name: string): BpfProgram {
    const program = this.programs().find((candidate) => sys.programName(candidate) === name)
    if (program === undefined) throw this.lacks('program', name)
    this.mustBeLoaded()
    const fd = sys.programFd(program)
    return { fd, name, ...programInfo(fd) }
  }

  /** @throws WeftError W-2102 when the object has no such map, or one of other sizes */
  map<K, V>(name: string, spec: MapSpec<K, V>): BpfMap<K, V> {
    return BpfMap.fromFd(name, this.mapFd(name), spec)
  }

  /** @throws WeftError W-2102 when the object has no such map, or one of other sizes */
  perCpuMap<K, V>(name: string, spec: MapSpec<K, V>): PerCpuMap<K, V> {
    return PerCpuMap.fromFd(name, this.mapFd(name), spec)
  }

  /** For a {@link RingReader}. Belongs to the object. */
  mapFd(name: string): number {
    this.mustBeLoaded()
    return sys.mapFd(this.findMap(name))
  }

  [Symbol.dispose](): void {
    if (this.handle !== undefined) sys.objectClose(this.handle)
    this.handle = undefined
  }

  private get live(): sys.Pointer {
    if (this.handle === undefined) throw new WeftError('W-5000', `object ${this.path} is closed`)
    return this.handle
  }

  private maps(): sys.Pointer[] {
    return chain((previous) => sys.objectNextMap(this.live, previous))
  }

  private programs(): sys.Pointer[] {
    return chain((previous) => sys.objectNextProgram(this.live, previous))
  }

  private findMap(name: string): sys.Pointer {
    const map = this.maps().find((candidate) => sys.mapName(candidate) === name)
    if (map === undefined) throw this.lacks('map', name)
    return map
  }

  private resizeMaps(maxEntries: Readonly<Record<string, number>>): void {
    for (const [name, entries] of Object.entries(maxEntries)) {
      sys.mapSetMaxEntries(this.findMap(name), entries)
    }
  }

  // In the object's BTF all offsets of variables are 0 until libbpf fixes up
  // its own copy: the symbol table has them too.
  private writeRodata(elf: Elf, values: Readonly<Record<string, number>>): void {
    if (Object.keys(values).length === 0) return
    const map = this.maps().find((candidate) => sys.mapName(candidate).endsWith('.rodata'))
    const size: [number | bigint] = [0]
    const start = map === undefined ? null : sys.mapInitialValue(map, size)
    if (start === null) throw this.lacks('section', '.rodata')
    const bytes = new Uint8Array(koffi.view(start, Number(size[0])))
    for (const [name, value] of Object.entries(values)) {
      const symbol = elf.symbols.find((entry) => entry.name === name && entry.section === '.rodata')
      if (symbol === undefined) throw this.lacks('constant', name)
      writeInteger(bytes.subarray(symbol.value, symbol.value + symbol.size), name, value)
    }
  }

  private mustBeLoaded(): void {
    if (!this.loaded) throw new WeftError('W-5000', `object ${this.path} is not loaded`)
  }

  private lacks(kind: string, name: string): WeftError {
    return new WeftError('W-2102', `object ${this.path} has no ${kind} ${name}`, {
      next: 'npm run build:bpf',
      details: { path: this.path, kind, name },
    })
  }
}

function readObject(path: string): Elf {
  try {
    return parseElf(readFileSync(path))
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new WeftError('W-2005', `BPF object ${path} cannot be read: ${why}`, {
      next: 'npm run build:bpf',
      details: { path },
      cause,
    })
  }
}

function openHandle(path: string, pinRoot: string | undefined): sys.Pointer | number {
  const handle = sys.objectOpenFile(path, {
    sz: sys.optsSize.open,
    object_name: null,
    relaxed_maps: false,
    pin_root_path: pinRoot ?? null,
    reserved: 0,
    kconfig: null,
    btf_custom_path: null,
    kernel_log_buf: null,
    kernel_log_size: 0,
    kernel_log_level: 0,
  })
  return handle ?? (koffi.errno() || ENOENT)
}

function chain(next: (previous: sys.Pointer | null) => sys.Pointer | null): sys.Pointer[] {
  const all: sys.Pointer[] = []
  for (let one = next(null); one !== null; one = next(one)) all.push(one)
  return all
}

function writeInteger(out: Uint8Array, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * out.length)) {
    throw new RangeError(`constant ${name} has ${out.length} bytes and cannot hold ${value}`)
  }
  const whole = new Uint8Array(8)
  writeU32(whole, 0, value >>> 0)
  writeU32(whole, 4, Math.floor(value / 2 ** 32))
  out.set(whole.subarray(0, out.length))
}

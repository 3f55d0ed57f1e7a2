import { readFileSync } from 'node:fs'
import { readU32 } from './codec.js'
import { check } from './errno.js'
import * as sys from './libbpf.js'

// BPF_OBJ_GET_INFO_BY_FD (Linux 4.13). The kernel fills what it knows of the
// size given and zeroes the rest, so fixed offsets hold on every kernel.
const INFO_SIZE = 256

/** `struct bpf_map_info`. */
export interface MapInfo {
  readonly type: number
  readonly id: number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
}

export function mapInfo(fd: number): MapInfo {
  const info = readInfo(fd)
  return {
    type: readU32(info, 0),
    id: readU32(info, 4),
    keySize: readU32(info, 8),
    valueSize: readU32(info, 12),
    maxEntries: readU32(info, 16),
    flags: readU32(info, 20),
  }
}

/** `struct bpf_prog_info`: the tag is a hash of the instructions, equal for equal code. */
export interface ProgramInfo {
  readonly id: number
  readonly tag: string
}

export function programInfo(fd: number): ProgramInfo {
  const info = readInfo(fd)
  return { id: readU32(info, 4), tag: Buffer.from(info.subarray(8, 16)).toString('hex') }
}

/** `struct bpf_link_info` of a TCX link. */
export interface LinkInfo {
  readonly type: number
  readonly id: number
  readonly programId: number
  /** In the namespace of the device; 0 once the device is gone, or the link was detached by force. */
  readonly ifindex: number
}

export function linkInfo(fd: number): LinkInfo {
  const info = readInfo(fd)
  return {
    type: readU32(info, 0),
    id: readU32(info, 4),
    programId: readU32(info, 8),
    ifindex: readU32(info, 16),
  }
}

/**
 * CPUs that may ever come up: per-CPU values have one slot for each.
 * Not `os.cpus()`, which counts those that are up.
 */
export function possibleCpus(): number {
  cpus ??= parseCpuList(readFileSync('/sys/devices/system/cpu/possible', 'utf8'))
  return cpus
}

/** Counts `0-3,8`, the kernel's list format (cpumask, Documentation/admin-guide/cputopology.rst). */
export function parseCpuList(list: string): number {
  return list
    .trim()
    .split(',')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)
}

let cpus: number | undefined

function readInfo(fd: number): Uint8Array {
  const info = new Uint8Array(INFO_SIZE)
  check('bpf_obj_get_info_by_fd', sys.infoByFd(fd, info, Uint32Array.of(INFO_SIZE)))
  return info
}

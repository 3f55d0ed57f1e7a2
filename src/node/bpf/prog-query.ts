import koffi from 'koffi'
import { readU32, writeU32, writeU64 } from './codec.js'
import { check } from './errno.js'
import * as sys from './libbpf.js'

export type Direction = 'ingress' | 'egress'

/** `enum bpf_attach_type` BPF_TCX_INGRESS and BPF_TCX_EGRESS; Debian 12's headers are older. */
export const tcxAttachType = { ingress: 46, egress: 47 } as const

/** One program at a TCX hook. */
export interface AttachedProgram {
  readonly programId: number
  /** 0 when it was attached without a link. */
  readonly linkId: number
}

const BPF_PROG_QUERY = 16
const SYSCALL_BPF = process.arch === 'arm64' ? 280 : 321
const ATTR_SIZE = 64
const MOST = 64 // BPF_MPROG_MAX: the kernel takes no more at one hook

/**
 * The programs at a TCX hook, in the order in which they run, ours and those of
 * others. `tc filter` and bpftool before 7.3 do not show them.
 *
 * @param ifindex in the network namespace of the calling thread
 * @throws SyscallError ENODEV without the device, EINVAL before Linux 6.6
 */
export function listPrograms(ifindex: number, direction: Direction): AttachedProgram[] {
  const programIds = new Ids()
  const linkIds = new Ids()
  try {
    const { rc, count } = queryPrograms(ifindex, direction, { programIds, linkIds })
    check('bpf(PROG_QUERY)', rc, `${direction} of ifindex ${ifindex}`)
    return Array.from({ length: count }, (_, i) => ({
      programId: programIds.at(i),
      linkId: linkIds.at(i),
    }))
  } finally {
    programIds.free()
    linkIds.free()
  }
}

/**
 * bpf(BPF_PROG_QUERY), by hand: libbpf 1.1 does not know the link members.
 * Layout: `query` of `union bpf_attr`.
 *
 * @returns a negative errno, and how many programs there are
 */
export function queryPrograms(
  ifindex: number,
  direction: Direction,
  into?: { programIds: Ids; linkIds: Ids },
): { rc: number; count: number } {
  const attr = new Uint8Array(ATTR_SIZE)
  writeU32(attr, 0, ifindex)
  writeU32(attr, 4, tcxAttachType[direction])
  if (into) {
    writeU64(attr, 16, into.programIds.address)
    writeU32(attr, 24, MOST)
    writeU64(attr, 40, into.linkIds.address)
  }
  const rc = sys.bpfSyscall(SYSCALL_BPF, BPF_PROG_QUERY, attr, ATTR_SIZE)
  return { rc: rc < 0 ? -koffi.errno() : rc, count: readU32(attr, 24) }
}

/** An array of ids in C memory: its address goes into the attributes. */
class Ids {
  private readonly memory: unknown = koffi.alloc('uint32_t', MOST)

  // User-space addresses are below 2^47, so a double holds them.
  get address(): number {
    return Number(koffi.address(this.memory))
  }

  at(index: number): number {
    return koffi.decode(this.memory, index * 4, 'uint32_t') as number
  }

  free(): void {
    koffi.free(this.memory)
  }
}

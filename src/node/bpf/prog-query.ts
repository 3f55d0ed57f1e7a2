import koffi from 'koffi'
import { readU32, writeU32 } from './codec.js'
import * as sys from './libbpf.js'

export type Direction = 'ingress' | 'egress'

/** `enum bpf_attach_type` BPF_TCX_INGRESS and BPF_TCX_EGRESS; Debian 12's headers are older. */
export const tcxAttachType = { ingress: 46, egress: 47 } as const

const BPF_PROG_QUERY = 16
const SYSCALL_BPF = process.arch === 'arm64' ? 280 : 321
const ATTR_SIZE = 64

/**
 * bpf(BPF_PROG_QUERY), by hand: libbpf 1.1 does not know the attach types.
 * Layout: `query` of `union bpf_attr`.
 *
 * @param ifindex in the network namespace of the calling thread
 * @returns how many programs are at a TCX hook, or a negative errno: ENODEV
 *   without the device, EINVAL before Linux 6.6
 */
export function countPrograms(ifindex: number, direction: Direction): number {
  const attr = new Uint8Array(ATTR_SIZE)
  writeU32(attr, 0, ifindex)
  writeU32(attr, 4, tcxAttachType[direction])
  const rc = sys.bpfSyscall(SYSCALL_BPF, BPF_PROG_QUERY, attr, ATTR_SIZE)
  return rc < 0 ? -koffi.errno() : readU32(attr, 24)
}

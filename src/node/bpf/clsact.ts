import { check, EEXIST, EINVAL, ENODEV, ENOENT } from './errno.js'
import * as sys from './libbpf.js'
import { withMessages } from './libbpf-log.js'
import type { BpfProgram } from './object.js'
import type { Direction } from './prog-query.js'

/**
 * The mark by which a filter is known as ours, also to a process that has
 * forgotten all: its place. "WEFT" in ASCII, and a priority nobody else picks.
 */
const HANDLE = 0x57454654
const PRIORITY = 0xc0de
const BPF_TC_F_REPLACE = 1
const attachPoint = { ingress: 1, egress: 2 } as const

/**
 * Puts the program at a clsact filter, direct action, or replaces ours in one
 * step. The qdisc is made when absent and shared with whoever else uses it.
 *
 * @returns the program's id
 * @throws SyscallError ENODEV when the device is gone
 */
export function attach(program: BpfProgram, ifindex: number, direction: Direction): number {
  const hook = hookOf(ifindex, direction)
  const what = `${direction} of ifindex ${ifindex}`
  const opts = { ...place(), prog_fd: program.fd, flags: BPF_TC_F_REPLACE }
  withMessages(() => {
    const rc = sys.tcHookCreate(hook)
    if (rc !== -EEXIST) check('bpf_tc_hook_create', rc, what)
    check('bpf_tc_attach', sys.tcAttach(hook, opts), what)
  })
  return program.id
}

/** Id of the program at our filter; `undefined` when there is no filter, qdisc or device. */
export function query(ifindex: number, direction: Direction): number | undefined {
  const opts = place()
  const { result } = withMessages(() => sys.tcQuery(hookOf(ifindex, direction), opts))
  if (isAbsence(result)) return undefined
  check('bpf_tc_query', result, `${direction} of ifindex ${ifindex}`)
  return opts.prog_id
}

/** Deletes our filter, if it is there; the qdisc stays, for it may be somebody else's. */
export function detach(ifindex: number, direction: Direction): void {
  const { result } = withMessages(() => sys.tcDetach(hookOf(ifindex, direction), place()))
  if (!isAbsence(result)) check('bpf_tc_detach', result, `${direction} of ifindex ${ifindex}`)
}

// EINVAL: the device has no clsact qdisc ("Parent Qdisc doesn't exists").
function isAbsence(rc: number): boolean {
  return rc === -ENOENT || rc === -ENODEV || rc === -EINVAL
}

function hookOf(ifindex: number, direction: Direction): sys.TcHook {
  return { sz: sys.optsSize.tcHook, ifindex, attach_point: attachPoint[direction], parent: 0 }
}

function place(): sys.TcOpts {
  return { sz: sys.optsSize.tcOpts, prog_fd: 0, flags: 0, prog_id: 0, handle: HANDLE, priority: PRIORITY }
}

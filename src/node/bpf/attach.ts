import { unlinkSync } from 'node:fs'
import { WeftError } from '../../common/errors.js'
import * as clsact from './clsact.js'
import { check, ENOENT, ENOLINK } from './errno.js'
import { hasTcx } from './features.js'
import { type LinkInfo, linkInfo } from './kernel-info.js'
import * as sys from './libbpf.js'
import type { BpfProgram } from './object.js'
import { type Direction, tcxAttachType } from './prog-query.js'

const BPF_LINK_TYPE_TCX = 11

export type Mechanism = 'tcx' | 'clsact'

/** What runs at a hook, as read back from the kernel. */
export interface Attachment {
  readonly ifindex: number
  readonly programId: number
  readonly mechanism: Mechanism
}

/** One direction of one device. */
export interface Hook {
  /** In the network namespace of the calling thread. */
  readonly ifindex: number
  readonly direction: Direction
  /** Path on a bpffs where the TCX link is pinned, so that it outlives the process. */
  readonly pin: string
}

export interface AttachOptions extends Hook {
  readonly program: BpfProgram
  /** Only this one; otherwise TCX, and clsact where the kernel has none. */
  readonly mechanism?: Mechanism
}

/**
 * Makes `program` run at the hook and goes on running after the process ends:
 * a TCX link (Linux 6.6), pinned, or a clsact filter (Linux 4.5). Idempotent: a
 * link of an earlier process is adopted, its program replaced in one step, so
 * that no frame passes between. A pin of a removed device is made anew.
 *
 * Attaching for the first time waits for an RCU grace period, about 10 ms.
 *
 * @throws SyscallError ENODEV when the device is gone
 */
export function attach(opts: AttachOptions): Attachment {
  if (opts.mechanism !== 'clsact' && hasTcx()) return attachLink(opts)
  if (opts.mechanism === 'tcx') throw noTcx(opts)
  // Never both at once: the device would run the program twice.
  removePin(opts.pin)
  const programId = clsact.attach(opts.program, opts.ifindex, opts.direction)
  return { ifindex: opts.ifindex, programId, mechanism: 'clsact' }
}

/**
 * What is really there now. `undefined` when nothing of ours runs at the hook:
 * never attached, taken away by somebody, or the device is gone.
 */
export function readAttachment(hook: Hook): Attachment | undefined {
  const link = readPin(hook.pin)
  if (link?.ifindex === hook.ifindex) {
    return { ifindex: link.ifindex, programId: link.programId, mechanism: 'tcx' }
  }
  const programId = clsact.query(hook.ifindex, hook.direction)
  return programId === undefined ? undefined : { ifindex: hook.ifindex, programId, mechanism: 'clsact' }
}

/**
 * Replaces the program that runs at the hook in one step: each frame meets the
 * old one or the new one, never none.
 *
 * @throws SyscallError ENOLINK when the device of the link is gone: attach again
 * @throws SyscallError ENOENT when nothing of ours is attached
 */
export function update(opts: Hook & { readonly program: BpfProgram }): void {
  const fd = sys.objGet(opts.pin)
  if (fd === -ENOENT) {
    if (clsact.query(opts.ifindex, opts.direction) === undefined) check('bpf_obj_get', fd, opts.pin)
    clsact.attach(opts.program, opts.ifindex, opts.direction)
    return
  }
  check('bpf_obj_get', fd, opts.pin)
  try {
    check('bpf_link_update', sys.linkUpdate(fd, opts.program.fd, null), opts.pin)
  } finally {
    sys.close(fd)
  }
}

/** Takes our program from the hook. What is not there is no error; what is not ours stays. */
export function detach(hook: Hook): void {
  removePin(hook.pin)
  clsact.detach(hook.ifindex, hook.direction)
}

function attachLink(opts: AttachOptions): Attachment {
  const { ifindex, program, pin } = opts
  if (adopt(opts)) return { ifindex, programId: program.id, mechanism: 'tcx' }
  removePin(pin)
  const fd = sys.linkCreate(program.fd, ifindex, tcxAttachType[opts.direction], null)
  check('bpf_link_create', fd, `${opts.direction} of ifindex ${ifindex}`)
  try {
    check('bpf_obj_pin', sys.objPin(fd, pin), pin)
  } finally {
    sys.close(fd)
  }
  // A filter that somebody made us use before. TCX runs first and forwards or
  // drops every frame, so between the two calls none meets both.
  clsact.detach(ifindex, opts.direction)
  return { ifindex, programId: program.id, mechanism: 'tcx' }
}

/** True when the pinned link serves this device and now runs the program. */
function adopt({ ifindex, program, pin }: AttachOptions): boolean {
  const link = readPin(pin)
  if (link?.ifindex !== ifindex) return false
  if (link.programId === program.id) return true
  const fd = sys.objGet(pin)
  if (fd === -ENOENT) return false
  check('bpf_obj_get', fd, pin)
  try {
    const rc = sys.linkUpdate(fd, program.fd, null)
    if (rc === -ENOLINK) return false // the device went between the two calls
    check('bpf_link_update', rc, pin)
    return true
  } finally {
    sys.close(fd)
  }
}

function readPin(pin: string): LinkInfo | undefined {
  const fd = sys.objGet(pin)
  if (fd === -ENOENT) return undefined
  check('bpf_obj_get', fd, pin)
  try {
    const link = linkInfo(fd)
    return link.type === BPF_LINK_TYPE_TCX ? link : undefined
  } finally {
    sys.close(fd)
  }
}

/** The last reference to a link is its attachment: without the pin it is detached. */
function removePin(pin: string): void {
  try {
    unlinkSync(pin)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err
  }
}

function noTcx(hook: Hook): WeftError {
  return new WeftError('W-2002', `the kernel has no TCX (Linux 6.6) for ifindex ${hook.ifindex}`, {
    details: { ifindex: hook.ifindex, direction: hook.direction },
  })
}

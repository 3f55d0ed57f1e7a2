import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { WeftError } from '../../common/errors.js'
import { checkErrno, ENODEV } from './errno.js'
import * as sys from './libbpf.js'
import { countPrograms } from './prog-query.js'

const BPF_FS_MAGIC = 0xcafe4a11 // linux/magic.h
const NO_SUCH_IFINDEX = 0x7fffffff
const MNT_DETACH = 2

// linux/capability.h
const CAP_NET_ADMIN = 12
const CAP_SYS_ADMIN = 21
const CAP_PERFMON = 38
const CAP_BPF = 39

/**
 * TCX: a kernel that knows the attach type looks for the device and says ENODEV;
 * an older one says EINVAL. Needs CAP_NET_ADMIN.
 */
export function hasTcx(): boolean {
  return countPrograms(NO_SUCH_IFINDEX, 'ingress') === -ENODEV
}

/**
 * Of those that the daemon needs. Without CAP_PERFMON the verifier refuses
 * arithmetic on pointers into map values, which flood lists need. CAP_SYS_ADMIN
 * stands for CAP_BPF and CAP_PERFMON, as in the kernel (capabilities(7)).
 */
export function missingCapabilities(): string[] {
  const held = effectiveCapabilities()
  const has = (bit: number): boolean => ((held >> BigInt(bit)) & 1n) === 1n
  const missing: string[] = []
  if (!has(CAP_BPF) && !has(CAP_SYS_ADMIN)) missing.push('CAP_BPF')
  if (!has(CAP_NET_ADMIN)) missing.push('CAP_NET_ADMIN')
  if (!has(CAP_PERFMON) && !has(CAP_SYS_ADMIN)) missing.push('CAP_PERFMON')
  return missing
}

/** CapEff of proc_pid_status(5), one bit for each capability. */
function effectiveCapabilities(): bigint {
  const line = readFileSync('/proc/self/status', 'utf8').match(/^CapEff:\s*([0-9a-f]+)$/m)
  return BigInt(`0x${line?.[1] ?? '0'}`)
}

/** Whether `path` exists and lies on a bpffs, where BPF objects can be pinned. */
export function isBpffs(path: string): boolean {
  try {
    return statfsSync(path).type >>> 0 === BPF_FS_MAGIC
  } catch {
    return false
  }
}

/**
 * Makes `path` a bpffs, unless it is on one. A mount made inside a mount
 * namespace (as under `ip netns exec`) and all its pins end with it.
 *
 * @throws WeftError W-2003 when mounting is refused
 */
export function mountBpffs(path: string): void {
  if (isBpffs(path)) return
  try {
    makeDirectory(path)
    checkErrno('mount', sys.mount('bpffs', path, 'bpf', 0, 'mode=0700'), path)
  } catch (cause) {
    if (isBpffs(path)) return // somebody else was faster
    throw new WeftError('W-2003', `no bpffs at ${path}: ${(cause as Error).message}`, {
      next: `mount -t bpf bpffs ${path}`,
      details: { path },
      cause,
    })
  }
}

/** Takes the bpffs at `path` away, pins included. Does nothing where there is none. */
export function unmountBpffs(path: string): void {
  if (isBpffs(path)) checkErrno('umount2', sys.umount2(path, MNT_DETACH), path)
}

/** With its parents. Not mkdir's `recursive`: below /proc, where mkdir says ENOENT, Node 20 tries for ever. */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

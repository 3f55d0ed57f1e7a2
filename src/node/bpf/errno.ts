import koffi from 'koffi'
import { SyscallError } from '../../common/errors.js'

/** Errno values that this folder tells apart. The negatives are what libbpf returns. */
export const ENOENT = koffi.os.errno['ENOENT']!
export const EPERM = koffi.os.errno['EPERM']!
export const E2BIG = koffi.os.errno['E2BIG']!
export const EAGAIN = koffi.os.errno['EAGAIN']!
export const EACCES = koffi.os.errno['EACCES']!
export const EEXIST = koffi.os.errno['EEXIST']!
export const ENODEV = koffi.os.errno['ENODEV']!
export const EINVAL = koffi.os.errno['EINVAL']!
export const ENOSPC = koffi.os.errno['ENOSPC']!
export const EINTR = koffi.os.errno['EINTR']!
export const ENOBUFS = koffi.os.errno['ENOBUFS']!
export const ENOLINK = koffi.os.errno['ENOLINK']!
/** The kernel's own, never in `errno.h`: a map or attach type lacks the operation. */
export const ENOTSUPP = 524

const names = new Map<number, string>([
  ...Object.entries(koffi.os.errno).map(([name, value]): [number, string] => [value, name]),
  [koffi.os.errno['EAGAIN']!, 'EAGAIN'], // EWOULDBLOCK has the same number
  [koffi.os.errno['EOPNOTSUPP']!, 'EOPNOTSUPP'], // ENOTSUP too
  [ENOTSUPP, 'ENOTSUPP'],
])

/** `ENOENT` for 2 and for -2; `errno 999` for a number nobody named. */
export function errnoName(errno: number): string {
  return names.get(Math.abs(errno)) ?? `errno ${Math.abs(errno)}`
}

/**
 * Passes on what a libbpf function returned.
 *
 * @throws SyscallError when it is a negative errno
 */
export function check(call: string, rc: number, what?: string, details?: Record<string, unknown>): number {
  if (rc >= 0) return rc
  throw new SyscallError(call, errnoName(rc), {
    ...(what !== undefined && { what }),
    ...(details && { details }),
  })
}

/** As {@link check}, for calls that return -1 and leave the errno in the thread. */
export function checkErrno(call: string, rc: number, what?: string): number {
  return check(call, rc < 0 ? -koffi.errno() : rc, what)
}

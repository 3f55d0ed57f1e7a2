import { closeSync, openSync } from 'node:fs'
import koffi from 'koffi'
import { checkErrno, EAGAIN } from './errno.js'
import * as sys from './libbpf.js'

const LOCK_EX_NB = 2 | 4

/**
 * Holds flock(2) on a directory until disposed or the process ends, however it
 * ends. Works on a bpffs, which takes no files.
 *
 * @returns `undefined` when somebody else holds it
 */
export function lockDirectory(path: string): Disposable | undefined {
  const fd = openSync(path, 'r')
  const rc = sys.flock(fd, LOCK_EX_NB)
  if (rc < 0 && koffi.errno() === EAGAIN) {
    closeSync(fd)
    return undefined
  }
  checkErrno('flock', rc, path)
  return { [Symbol.dispose]: () => closeSync(fd) }
}

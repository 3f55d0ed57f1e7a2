import { checkErrno } from './bpf/errno.js'
import * as sys from './netlink/socket-calls.js'

const AF_UNIX = 1
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000
const SOL_SOCKET = 1
const SO_PEERCRED = 17

/** Who listens on a socket; as it was when it began to. */
export interface Holder {
  readonly pid: number
  /** Of the holder's process, as seen from our user namespace. */
  readonly uid: number
}

/**
 * Who listens on a socket of unix(7).
 *
 * @param path with its zero bytes, if it is in the abstract namespace
 * @returns `undefined` when nobody does, or takes no more connections
 */
export function holderOf(path: string): Holder | undefined {
  const fd = checkErrno('socket', sys.socket(AF_UNIX, SOCK_STREAM_NONBLOCK_CLOEXEC, 0), 'unix')
  try {
    const address = Buffer.from(`\0\0${path}`, 'latin1') // struct sockaddr_un
    address.writeUInt16LE(AF_UNIX)
    if (sys.connect(fd, address, address.length) < 0) return undefined
    const credentials = new Uint32Array(3) // struct ucred: pid, uid, gid
    const size = Uint32Array.of(credentials.byteLength)
    checkErrno('getsockopt', sys.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, size), 'SO_PEERCRED')
    return { pid: credentials[0]!, uid: credentials[1]! }
  } finally {
    sys.close(fd)
  }
}

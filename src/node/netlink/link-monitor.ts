import koffi from 'koffi'
import { SyscallError } from '../../common/errors.js'
import { checkErrno, EAGAIN, EINTR, ENOBUFS, errnoName } from '../bpf/errno.js'
import { ReadablePoll } from '../bpf/readable-poll.js'
import { type Change, parseChanges } from './messages.js'
import * as sys from './socket-calls.js'

const AF_NETLINK = 16
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000
const GROUPS = 0x1 | 0x10 | 0x100 // RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const DATAGRAM = 65_536
/** An error that stays must not keep the process busy. */
const ERROR_HOLD_MS = 1000
const TURN = 256 // datagrams, then others get their turn

/** Overflow: notifications were lost. Read everything back. */
export type LinkEvent = Change | { readonly kind: 'overflow' }

/**
 * Tells when links or addresses of the calling thread's network namespace
 * change. A socket of our own: the `netlink` package aborts the process when a
 * receive buffer overflows.
 *
 * The kernel drops notifications that do not fit and says so once, with ENOBUFS;
 * that becomes one `overflow`, and listening goes on. Changes of one link that
 * were read together come as one. Does not keep the process alive.
 */
export class LinkMonitor implements Disposable {
  private readonly fd: number
  private readonly poll: ReadablePoll
  private readonly datagram = new Uint8Array(DATAGRAM)
  private hold: NodeJS.Timeout | undefined
  private lost = 0

  /**
   * @param opts.receiveBytes of the socket's buffer, about 2 KiB for each notification; 4 MiB unless given
   * @param opts.onError gets what `listener` throws, and errors of the socket; without it that is an uncaught exception
   */
  constructor(
    private readonly listener: (event: LinkEvent) => void,
    private readonly opts: {
      readonly receiveBytes?: number
      readonly onError?: (error: unknown) => void
    } = {},
  ) {
    this.fd = openSocket(opts.receiveBytes ?? 4 << 20)
    this.poll = new ReadablePoll(this.fd, () => this.woken(), { keepsProcessAlive: false })
    this.poll.arm()
  }

  /** How often notifications were lost. */
  get overflows(): number {
    return this.lost
  }

  [Symbol.dispose](): void {
    this.poll[Symbol.dispose]()
    clearTimeout(this.hold)
    sys.close(this.fd)
  }

  // The poll status is of no use: overflow comes as EBADF. recv(2) tells the truth.
  private woken(): void {
    const { changes, overflow, error } = this.receive()
    if (error) {
      this.fail(error)
      this.hold = setTimeout(() => this.poll.arm(), ERROR_HOLD_MS).unref()
    } else this.poll.arm()
    if (overflow) {
      this.lost++
      this.tell({ kind: 'overflow' })
    }
    for (const change of changes) this.tell(change)
  }

  private receive(): { changes: Iterable<Change>; overflow: boolean; error: Error | undefined } {
    let error: Error | undefined
    const changes = new Map<string, Change>()
    let overflow = false
    for (let turn = 0; turn < TURN; turn++) {
      const length = sys.recv(this.fd, this.datagram, DATAGRAM, 0)
      if (length >= 0) {
        for (const change of parseChanges(this.datagram.subarray(0, length))) {
          changes.set(`${change.subject} ${change.ifindex}`, change)
        }
        continue
      }
      const errno = koffi.errno()
      if (errno === EAGAIN) break
      if (errno === EINTR) continue
      // Whatever else it is, something may have been missed.
      overflow = true
      if (errno === ENOBUFS) continue
      error = new SyscallError('recv', errnoName(errno), { what: 'link notifications' })
      break
    }
    return { changes: changes.values(), overflow, error }
  }

  private tell(event: LinkEvent): void {
    try {
      this.listener(event)
    } catch (error) {
      this.fail(error)
    }
  }

  private fail(error: unknown): void {
    if (this.opts.onError) this.opts.onError(error)
    else
      setImmediate(() => {
        throw error
      })
  }
}

function openSocket(receiveBytes: number): number {
  const fd = checkErrno('socket', sys.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, 0), 'netlink')
  try {
    const size = Uint32Array.of(receiveBytes)
    // Beyond net.core.rmem_max only with CAP_NET_ADMIN.
    if (sys.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4) < 0) {
      checkErrno('setsockopt', sys.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size, 4), 'SO_RCVBUF')
    }
    const address = new Uint8Array(12) // struct sockaddr_nl; port 0: the kernel picks one
    const view = new DataView(address.buffer)
    view.setUint16(0, AF_NETLINK, true)
    view.setUint32(8, GROUPS, true)
    checkErrno('bind', sys.bind(fd, address, address.length), 'netlink')
    return fd
  } catch (err) {
    sys.close(fd)
    throw err
  }
}

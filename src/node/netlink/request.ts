import netlink, { type NetlinkMessage } from 'netlink'
import { WeftError } from '../../common/errors.js'
import { errnoName } from '../bpf/errno.js'

const TIMEOUT_MS = 10_000
const DUMP_TRIES = 5

/** Message types of rtnetlink(7) that we send. */
export const rtm = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  delRoute: 25,
} as const

const flag = { dumpInterrupted: 0x10, dump: 0x300, createExclusive: 0x600 } as const

export type Payload = Uint8Array | Uint8Array[]

/**
 * A request that changes something or asks for one object, in the calling
 * thread's network namespace.
 *
 * @param what the object and what is asked of it, for the message of an error
 * @throws WeftError W-2109 with `details.errno`
 */
export async function request(
  type: number,
  payload: Payload,
  what: string,
  opts: { create?: boolean } = {},
): Promise<NetlinkMessage[]> {
  const { replies } = await exchange(type, payload, opts.create ? flag.createExclusive : 0, what)
  return replies
}

/**
 * All objects of a kind. A dump during which something changed may lack objects
 * or show them twice; the kernel marks it, and it is taken again.
 *
 * @throws WeftError W-2109 with `details.errno`
 */
export async function dump(type: number, payload: Payload, what: string): Promise<NetlinkMessage[]> {
  for (let tries = 1; ; tries++) {
    const { replies, interrupted } = await exchange(type, payload, flag.dump, what)
    if (!interrupted) return replies
    if (tries === DUMP_TRIES) throw failure(what, 'EINTR', `changed during each of ${tries} readings`)
  }
}

/**
 * One socket for each exchange. The package's sockets abort the process on
 * overflow of the receive buffer, and emit leftover acknowledgements as invalid
 * messages: neither can happen to a socket that has one request in its life.
 */
async function exchange(
  type: number,
  payload: Payload,
  flags: number,
  what: string,
): Promise<{ replies: NetlinkMessage[]; interrupted: boolean }> {
  const socket = netlink.createNetlink(netlink.Protocol.ROUTE)
  try {
    const broken = new Promise<never>((_, reject) => socket.on('error', reject))
    // checkError: false, or the errno would be in the text of an Error only.
    const reply = socket.request(type, payload, { flags, timeout: TIMEOUT_MS, checkError: false })
    const [messages] = await Promise.race([reply, broken])
    for (const message of messages) refuse(message, what)
    const replies = messages.filter((message) => message.type >= rtm.newLink)
    return { replies, interrupted: messages.some((message) => (message.flags & flag.dumpInterrupted) !== 0) }
  } catch (cause) {
    if (cause instanceof WeftError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    throw failure(what, code ?? 'EIO', message, cause)
  } finally {
    socket.close()
  }
}

function refuse(message: NetlinkMessage, what: string): void {
  if (message.type !== netlink.MessageType.ERROR) return
  const errno = message.data.readInt32LE(0)
  if (errno !== 0) throw failure(what, errnoName(errno))
}

function failure(what: string, errno: string, why?: string, cause?: unknown): WeftError {
  return new WeftError('W-2109', `${what}: ${errno}${why ? ` (${why})` : ''}`, {
    details: { errno, what },
    ...(cause !== undefined && { cause }),
  })
}

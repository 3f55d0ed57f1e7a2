import { chmodSync, existsSync, mkdirSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { WeftError } from './errors.js'
import { formatListenAddress, isLocal, type ListenAddress } from './listen-address.js'

/** Group members may use it without root. */
const SOCKET_MODE = 0o660

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOENT: 'the directory does not exist and cannot be made',
  ENOTDIR: 'what should be its directory is a file',
  EADDRNOTAVAIL: 'no such address on this host',
  ENOTFOUND: 'no such host',
}

/** @throws WeftError W-3001 for an address beyond this host: nothing here has encryption or login. */
export function refuseRemote(flag: string, address: ListenAddress): void {
  if (isLocal(address)) return
  throw new WeftError(
    'W-3001',
    `${flag} ${formatListenAddress(address)}: refusing to listen beyond this host, without encryption or login`,
    { next: 'listen on 127.0.0.1 or unix:/path, or give --insecure on a network you trust' },
  )
}

/**
 * Listens by `bind` and gives what that gives. For a unix socket makes its directory,
 * removes a socket that a killed process left, and lets the group in; one that answers stays.
 *
 * @throws WeftError W-3014 when another process listens there, W-4002 for any other reason.
 */
export async function listenAt<T>(flag: string, address: ListenAddress, bind: () => Promise<T>): Promise<T> {
  try {
    if (address.kind === 'unix') await clearSocket(address.path)
    const bound = await bind()
    if (address.kind === 'unix') chmodSync(address.path, SOCKET_MODE)
    return bound
  } catch (err) {
    throw listenError(flag, address, err as NodeJS.ErrnoException)
  }
}

async function clearSocket(path: string): Promise<void> {
  makeDirectory(dirname(path))
  const code = await new Promise<string>((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve('')
    })
    probe.once('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? ''))
  })
  if (code === 'ECONNREFUSED') unlinkSync(path)
}

// Not mkdir's `recursive`: below /proc, where mkdir says ENOENT, Node 20 tries for ever.
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  try {
    mkdirSync(path)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err // somebody else was faster
  }
}

function listenError(flag: string, address: ListenAddress, err: NodeJS.ErrnoException): WeftError {
  const where = formatListenAddress(address)
  // gRPC wraps the system's error in text of its own.
  const code = err.code ?? /\bE[A-Z]{3,}\b/.exec(err.message)?.[0] ?? ''
  if (code === 'EADDRINUSE') {
    const who =
      address.kind === 'unix' ? `ss -lxp src ${address.path}` : `ss -ltnp 'sport = :${address.port}'`
    return new WeftError('W-3014', `cannot listen on ${where}: it is in use by another process`, {
      next: `${who} shows by whom; or set ${flag}`,
      cause: err,
    })
  }
  return new WeftError('W-4002', `cannot listen on ${where}: ${reasons[code] ?? err.message}`, {
    next: `set ${flag}`,
    cause: err,
  })
}

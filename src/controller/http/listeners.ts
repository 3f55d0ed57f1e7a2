import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { WeftError } from '../../common/errors.js'
import {
  formatListenAddress,
  isLocal,
  type ListenAddress,
  parseListenAddress,
} from '../../common/listen-address.js'
import type { Logger } from '../../common/logger.js'
import { DEFAULT_HTTP_SOCKET, DEFAULT_HTTP_TCP } from '../config.js'

/** Group members may use the API without root. */
const SOCKET_MODE = 0o660
/** Then connections that are still busy are cut. */
const CLOSE_MS = 1000

/**
 * Serves the API on all addresses until `signal` aborts.
 *
 * @throws WeftError W-3001 for an address beyond this host without `insecure`; W-3014 when one is in use.
 */
export async function serveHttp(
  app: FastifyInstance,
  listen: readonly string[] | undefined,
  { log, insecure, signal }: { log: Logger; insecure: boolean; signal: AbortSignal },
): Promise<void> {
  const addresses = (listen ?? [DEFAULT_HTTP_TCP]).map(parseListenAddress)
  for (const address of addresses) if (!insecure) refuseBeyondHost(address)
  const servers: http.Server[] = []
  try {
    for (const address of addresses) servers.push(await open(app, address, log))
    if (listen === undefined) servers.push(...(await openDefaultSocket(app, log)))
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  } finally {
    await Promise.all(servers.map(close))
    await app.close()
  }
}

function refuseBeyondHost(address: ListenAddress): void {
  if (isLocal(address)) return
  throw new WeftError(
    'W-3001',
    `refusing to listen on ${formatListenAddress(address)}: the API has neither encryption nor login, and this address is not of this host alone`,
    { next: 'listen on 127.0.0.1 or unix:/path, or give --insecure' },
  )
}

async function open(app: FastifyInstance, address: ListenAddress, log: Logger): Promise<http.Server> {
  const server = http.createServer((request, response) => app.routing(request, response))
  if (address.kind === 'unix') await clearStaleSocket(address.path)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(
        address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
        resolve,
      )
    })
  } catch (err) {
    throw listenError(address, err as NodeJS.ErrnoException)
  }
  if (address.kind === 'unix') chmodSync(address.path, SOCKET_MODE)
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? { port: bound.port } : {}
  log.info({ listen: formatListenAddress(address), ...port }, 'serving http')
  return server
}

// Unless it was asked for, the socket is a convenience: without the right to make it the API serves TCP alone.
async function openDefaultSocket(app: FastifyInstance, log: Logger): Promise<http.Server[]> {
  try {
    mkdirSync(dirname(DEFAULT_HTTP_SOCKET), { recursive: true })
    return [await open(app, { kind: 'unix', path: DEFAULT_HTTP_SOCKET }, log)]
  } catch (err) {
    if (err instanceof WeftError && err.code === 'W-3014') throw err
    log.warn({ err, path: DEFAULT_HTTP_SOCKET }, 'no unix socket')
    return []
  }
}

// A socket file outlives a process that was killed. Only if nobody answers it is ours to remove.
async function clearStaleSocket(path: string): Promise<void> {
  const answer = await new Promise<string>((resolve) => {
    const socket = net.connect({ path })
    socket
      .once('connect', () => resolve('connected'))
      .once('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? ''))
    socket.once('connect', () => socket.destroy())
  })
  if (answer === 'ECONNREFUSED') rmSync(path, { force: true })
}

function listenError(address: ListenAddress, err: NodeJS.ErrnoException): WeftError {
  const where = formatListenAddress(address)
  if (err.code === 'EADDRINUSE') {
    const next =
      address.kind === 'unix'
        ? `ss -lxp src ${address.path}`
        : `ss -ltnp 'sport = :${address.port}' shows by whom; or set --http-listen`
    return new WeftError('W-3014', `cannot listen on ${where}: it is in use by another process`, {
      next,
      cause: err,
    })
  }
  const why = {
    EACCES: 'permission denied',
    ENOENT: 'the directory does not exist',
    EADDRNOTAVAIL: 'no such address on this host',
  }
  const reason = why[err.code as keyof typeof why] ?? err.message
  return new WeftError('W-4002', `cannot listen on ${where}: ${reason}`, {
    next: 'set --http-listen',
    cause: err,
  })
}

async function close(server: http.Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
  server.closeIdleConnections()
  await new Promise((resolve) => server.close(resolve))
  clearTimeout(cut)
}

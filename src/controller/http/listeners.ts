import http from 'node:http'
import type { FastifyInstance } from 'fastify'
import { WeftError } from '../../common/errors.js'
import { formatListenAddress, type ListenAddress, parseListenAddress } from '../../common/listen-address.js'
import { listenAt, refuseRemote } from '../../common/listening.js'
import type { Logger } from '../../common/logger.js'
import { DEFAULT_HTTP_SOCKET, DEFAULT_HTTP_TCP } from '../config.js'

/** Then connections that are still busy are cut. */
const CLOSE_MS = 1000

/**
 * Serves the API on all addresses until `signal` aborts.
 *
 * @throws WeftError W-3001 for an address beyond this host without `insecure`; W-3014 when one is in use;
 *   W-4002 when one cannot be listened on.
 */
export async function serveHttp(
  app: FastifyInstance,
  listen: readonly string[] | undefined,
  { log, insecure, signal }: { log: Logger; insecure: boolean; signal: AbortSignal },
): Promise<void> {
  const addresses = (listen ?? [DEFAULT_HTTP_TCP]).map(parseListenAddress)
  for (const address of addresses) if (!insecure) refuseRemote('--http-listen', address)
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

async function open(app: FastifyInstance, address: ListenAddress, log: Logger): Promise<http.Server> {
  const server = http.createServer((request, response) => app.routing(request, response))
  const where = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  await listenAt('--http-listen', address, async () => {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(where, resolve)
    })
  })
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? { port: bound.port } : {}
  log.info({ listen: formatListenAddress(address), ...port }, 'serving http')
  return server
}

// Unless it was asked for, the socket is a convenience: without the right to make it the API serves TCP alone.
async function openDefaultSocket(app: FastifyInstance, log: Logger): Promise<http.Server[]> {
  try {
    return [await open(app, { kind: 'unix', path: DEFAULT_HTTP_SOCKET }, log)]
  } catch (err) {
    if (err instanceof WeftError && err.code === 'W-3014') throw err
    log.warn({ err, path: DEFAULT_HTTP_SOCKET }, 'no unix socket')
    return []
  }
}

async function close(server: http.Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
  server.closeIdleConnections()
  await new Promise((resolve) => server.close(resolve))
  clearTimeout(cut)
}

import { unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { WeftError } from '../../common/errors.js'
import {
  formatListenAddress,
  isLocal,
  type ListenAddress,
  parseListenAddress,
} from '../../common/listen-address.js'
import type { Logger } from '../../common/logger.js'
import { isReady, type Reading, renderMetrics } from '../telemetry/metrics.js'
import { statusOf } from './status-body.js'

export interface HttpDeps {
  readonly node: string
  /** As configured; empty: nothing is served. */
  readonly listen: string
  readonly read: () => Reading
  readonly log: Logger
}

/**
 * Serves this node's health, metrics and status until `signal` aborts. There is
 * no login, so it is reached from this host only.
 *
 * @throws WeftError W-3001 for an address beyond this host, W-3014 when it is taken
 */
export async function serve(deps: HttpDeps, signal: AbortSignal): Promise<void> {
  if (deps.listen === '' || signal.aborted) return
  const address = parseListenAddress(deps.listen)
  if (!isLocal(address)) {
    throw new WeftError('W-3001', `${deps.listen} can be reached from other hosts, and there is no login`, {
      next: 'give --http-listen 127.0.0.1:7781 or unix:/path',
    })
  }
  const app = routes(deps)
  await listen(app, address)
  deps.log.info({ http: formatListenAddress(address) }, 'serving status and metrics')
  // It may have aborted while the address was opened: then the event has been.
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
  await app.close()
}

function routes({ node, read }: HttpDeps): FastifyInstance {
  const app = fastify({ forceCloseConnections: true })
  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_, reply) => {
    const reading = read()
    const ready = isReady(reading)
    return reply.code(ready ? 200 : 503).send({
      status: ready ? 'ok' : 'not ready',
      connected: reading.uplink.status.connected,
      programmed: reading.status.applied !== undefined,
      failures: reading.status.failures.length,
    })
  })
  app.get('/metrics', async (_, reply) => {
    const { text, contentType } = await renderMetrics(read())
    return reply.type(contentType).send(text)
  })
  app.get('/api/v1/status', async () => statusOf(node, read()))
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type('application/problem+json')
      .send({ title: 'NOT_FOUND', status: 404, code: 'W-3007', detail: `there is no ${request.url} here` }),
  )
  return app
}

async function listen(app: FastifyInstance, address: ListenAddress): Promise<void> {
  const open = () =>
    app.listen(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port })
  try {
    await open()
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cannotListen(address, err)
    if (address.kind !== 'unix' || (await answers(address.path))) throw cannotListen(address, err)
    await unlink(address.path) // left by a process that was killed
    await open()
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true))
    socket.on('error', () => resolve(false)).on('close', () => socket.destroy())
    socket.once('connect', () => socket.end())
  })
}

function cannotListen(address: ListenAddress, cause: unknown): WeftError {
  const text = formatListenAddress(address)
  return new WeftError('W-3014', `cannot listen on ${text}: ${(cause as Error).message}`, {
    next: 'give another --http-listen, or an empty one',
    cause,
  })
}

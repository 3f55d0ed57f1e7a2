import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { jsonSchemaTransform, validatorCompiler } from 'fastify-type-provider-zod'
import { WeftError } from '../../common/errors.js'
import type { Logger } from '../../common/logger.js'
import { version } from '../../common/version.js'
import type { Control } from '../control.js'
import { Metrics } from './metrics.js'
import { Observed } from './observed.js'
import { handleErrors } from './problems.js'
import { frameRoutes } from './routes/frames.js'
import { healthRoutes } from './routes/health.js'
import { listRoutes } from './routes/lists.js'
import { macRoutes } from './routes/macs.js'
import { topologyRoutes } from './routes/topologies.js'

/** A topology of the largest size with its multi-byte text. */
const BODY_LIMIT = 8 * 1024 * 1024

export interface HttpOptions {
  readonly log: Logger
  /** Names by which the API may be asked for are then not checked. */
  readonly insecure: boolean
  /** Ports of a topology's lab section count as declared. */
  readonly lab?: boolean
  /** Ends the rates. */
  readonly signal: AbortSignal
}

/** The HTTP API over a control plane, ready for `inject` or for listeners. */
export async function buildHttp(
  control: Control,
  { log, insecure, lab = false, signal }: HttpOptions,
): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 300 },
  })
  app.setValidatorCompiler(validatorCompiler)
  // Schemas describe answers, tests hold answers against them; checking each again would cost more than making it.
  app.setSerializerCompiler(() => JSON.stringify)
  handleErrors(app)
  if (!insecure) refuseForeignNames(app)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })

  const observed = new Observed(control)
  observed.follow(signal)
  const metrics = new Metrics(observed)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Weft controller', version, description: 'Errors are RFC 9457.' },
    },
    transform: jsonSchemaTransform,
  })
  await app.register(async (scope) => {
    healthRoutes(scope, observed)
    listRoutes(scope, observed)
    macRoutes(scope, observed)
    frameRoutes(scope, observed)
    scope.get('/metrics', { schema: { summary: 'Prometheus', tags: ['health'] } }, async (_, reply) =>
      reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
    )
    scope.get('/openapi.json', { schema: { hide: true } as object }, () => app.swagger())
  })
  await app.register(async (scope) => topologyRoutes(scope, control, metrics, { lab }))
  await app.ready()
  return app
}

// A page whose name was pointed at this host (DNS rebinding) sends that name; our users send an address or localhost.
function refuseForeignNames(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const host = request.hostname.replace(/^\[|\]$/g, '')
    if (host === '' || host === 'localhost' || isIP(host) !== 0) return
    throw new WeftError(
      'W-3012',
      `this controller is not known as "${host}": ask for it by address or as localhost`,
    )
  })
}

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { jsonPointer, type ProblemDetails, problemType } from '../../api/problem.js'
import { titleOf } from '../../api/problem-title.js'
import type { ValidateResult } from '../../api/topology.js'
import { type ErrorCode, WeftError } from '../../common/errors.js'
import type { Problem } from '../../topology/index.js'

type Places = NonNullable<ProblemDetails['errors']>

/** A topology that does not validate: every problem with its place in the text. */
export class TopologyProblems extends WeftError {
  constructor(problems: readonly Problem[]) {
    const [first] = problems
    const where = first ? `line ${first.line}, column ${first.column}: ${first.message}` : ''
    const head =
      problems.length === 1 ? where : `${problems.length} errors in the topology, the first at ${where}`
    super(first?.code ?? 'W-5000', `${head}. Nothing was stored.`, {
      next: 'weft validate FILE',
      details: { errors: problems.map(placeOf) },
    })
  }
}

/** A problem of a topology as the API tells it. */
export function placeOf({
  code,
  path,
  line,
  column,
  length,
  message,
  hint,
}: Problem): ValidateResult['problems'][number] {
  const place = { code, pointer: jsonPointer(path), line, column, length, detail: message }
  return hint === undefined ? place : { ...place, hint }
}

/** Every error leaves as RFC 9457; only unknown ones are logged, with their stack. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((err: FastifyError, request, reply) => {
    const error = toWeftError(err)
    if (error.code === 'W-5000') request.log.error({ err }, 'request failed')
    return sendProblem(reply, request, error, statusOf(error, err))
  })
  const routes = knownRoutes(app)
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
    if (allowed.length === 0) {
      return sendProblem(
        reply,
        request,
        new WeftError('W-3007', `there is no ${path}`, { next: '/openapi.json or /api/v1/status' }),
        404,
      )
    }
    reply.header('allow', allowed.join(', '))
    const error = new WeftError(
      'W-3012',
      `${path} does not know ${request.method}, only ${allowed.join(', ')}`,
    )
    return sendProblem(reply, request, error, 405)
  })
}

export function sendProblem(
  reply: FastifyReply,
  request: FastifyRequest,
  error: WeftError,
  status: number,
): FastifyReply {
  const { errors, result } = error.details
  const body: ProblemDetails = {
    type: `urn:weft:error:${error.code}`,
    title: titleOf(error.code),
    status,
    detail: error.message,
    instance: request.url.split('?')[0]!,
    code: error.code,
    ...(errors ? { errors: errors as Places } : {}),
    ...(error.next ? { next: error.next } : {}),
    request_id: request.id,
    ...(result === undefined ? {} : { result }),
  }
  return reply.code(status).type(problemType).serializer(JSON.stringify).send(body)
}

function toWeftError(err: FastifyError): WeftError {
  if (err instanceof WeftError) return err
  if (hasZodFastifySchemaValidationErrors(err)) {
    const errors = err.validation.map(({ instancePath, message }) => ({
      pointer: `/${err.validationContext ?? 'request'}${instancePath}`,
      detail: message ?? 'is not allowed',
    }))
    const detail = errors.map(({ pointer, detail }) => `${pointer.slice(1)}: ${detail}`).join('; ')
    return new WeftError('W-3012', detail, { next: '/openapi.json', details: { errors } })
  }
  const status = err.statusCode ?? 500
  if (status === 413) return new WeftError('W-1008', 'the body is larger than the controller takes')
  const code: ErrorCode = status < 500 ? 'W-3012' : 'W-5000'
  return new WeftError(
    code,
    status < 500 ? err.message : 'the controller failed on this request; its log says why',
    {
      cause: err,
    },
  )
}

// Fastify's own refusals, as 415, keep their status; ours have the catalogue's.
function statusOf(error: WeftError, err: FastifyError): number {
  return error.code === 'W-3012' && err.statusCode !== undefined ? err.statusCode : error.row.http
}

function knownRoutes(app: FastifyInstance): { method: string; pattern: RegExp }[] {
  const routes: { method: string; pattern: RegExp }[] = []
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:[^/]+/g, '[^/]+')}$`)
    for (const one of [method].flat()) routes.push({ method: one, pattern })
  })
  return routes
}

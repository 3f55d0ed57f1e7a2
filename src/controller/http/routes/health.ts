import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { status as statusSchema } from '../../../api/status.js'
import type { Observed } from '../observed.js'
import { statusOf } from '../status.js'

const query = z.object({ verbose: z.string().optional().describe('List the checks') })

/** `/livez`, `/readyz` and the one-screen status. */
export function healthRoutes(app: FastifyInstance, observed: Observed): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get('/livez', { schema: { summary: 'The process is alive', tags: ['health'] } }, (_, reply) =>
    reply.type('text/plain').send('ok\n'),
  )
  typed.get(
    '/readyz',
    { schema: { summary: 'etcd answers and the view is loaded', tags: ['health'], querystring: query } },
    (request, reply) => {
      const checks = checksOf(observed)
      const ready = checks.every(({ ok }) => ok)
      const lines = checks.map(
        ({ name, ok, why }) => `[${ok ? '+' : '-'}] ${name}${ok ? ' ok' : `: ${why}`}\n`,
      )
      const verbose = request.query.verbose !== undefined || !ready
      return reply
        .code(ready ? 200 : 503)
        .type('text/plain')
        .send(`${verbose ? lines.join('') : ''}${ready ? 'ok' : 'not ready'}\n`)
    },
  )
  typed.get(
    '/api/v1/status',
    { schema: { summary: 'What `weft status` shows', tags: ['health'], response: { 200: statusSchema } } },
    () => statusOf(observed, new Date()),
  )
}

function checksOf({ control }: Observed): { name: string; ok: boolean; why: string }[] {
  const { available, error } = control.store
  return [
    { name: 'etcd', ok: available, why: error ?? 'does not answer' },
    { name: 'view', ok: control.revision > 0n, why: 'not loaded yet' },
  ]
}

import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { macDetail as macDetailSchema } from '../../../api/journal.js'
import { macDetail } from '../mac-detail.js'
import type { Observed } from '../observed.js'

/** `GET /api/v1/macs/<mac>`: one MAC with its journal. */
export function macRoutes(app: FastifyInstance, observed: Observed): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/macs/:mac',
    {
      schema: {
        summary: 'One MAC: where it is, and what happened to it',
        tags: ['lists'],
        params: z.object({ mac: z.mac('a MAC address, as 02:00:00:01:00:09') }),
        querystring: z.strictObject({ network: z.string().optional().describe('Only in this network') }),
        response: { 200: macDetailSchema },
      },
    },
    (request) => macDetail(observed, request.params.mac.toLowerCase(), request.query.network),
  )
}

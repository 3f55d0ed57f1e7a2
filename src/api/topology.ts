import { z } from 'zod'
import { parseDuration } from '../common/duration.js'
import { failure } from './items.js'

/** A topology in the list. */
export const topology = z.object({
  name: z.string(),
  description: z.string(),
  revision: z.number().int().describe('Of its last change; the ETag'),
  applied_at: z.string().describe('RFC 3339, UTC'),
  nodes: z.number().int(),
  networks: z.number().int(),
  ports: z.number().int(),
})
export type TopologyItem = z.output<typeof topology>

/** One topology with the file it came from and what it was compiled to. */
export const topologyDetail = topology.extend({
  source: z.string().describe('The file as it was applied'),
  desired: z.unknown().describe('References resolved and defaults filled in'),
})
export type TopologyDetail = z.output<typeof topologyDetail>

/** In the query as `30s`, `500ms` or `2m`; milliseconds once parsed. */
const duration = z.string().transform((text, ctx) => {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  ctx.addIssue({ code: 'custom', message: 'a duration such as 30s, 500ms or 2m' })
  return z.NEVER
})

export const waitStages = ['stored', 'programmed'] as const

const boolean = z.enum(['true', 'false', '1', '0', '']).transform((text) => text !== 'false' && text !== '0')

export const applyQuery = z.strictObject({
  dry_run: boolean.optional().describe('Check everything, write nothing'),
  wait: z.enum(waitStages).default('stored').describe('Answer when this is done'),
  timeout: duration.prefault('30s').describe('How long to wait; the change stays stored when it runs out'),
})

const ms = z.number().min(0)

export const applyResult = z.object({
  name: z.string(),
  revision: z.number().int(),
  unchanged: z.boolean(),
  dry_run: z.boolean(),
  stages: z.object({
    stored_ms: ms,
    sent_ms: ms.nullable(),
    programmed_ms: ms.nullable().describe('Since the request came'),
  }),
  nodes: z.object({
    total: z.number().int(),
    slowest: z.string().nullable(),
    late: z.array(z.object({ name: z.string(), last_heard_at: z.string().nullable() })),
  }),
  failures: z
    .array(failure.extend({ node: z.string() }))
    .describe('What nodes could not program, when the wait was for `programmed`'),
})
export type ApplyResult = z.output<typeof applyResult>

export const change = z.object({
  op: z.enum(['add', 'change', 'remove']),
  path: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
  effect: z.string().describe('live; brief, with its bound; or what stops'),
})

export const diffResult = z.object({
  name: z.string(),
  revision: z.number().int().describe('That the file was compared with'),
  changes: z.array(change),
})
export type DiffResult = z.output<typeof diffResult>

export const validateResult = z.object({
  valid: z.boolean(),
  problems: z.array(
    z.object({
      code: z.string(),
      pointer: z.string().describe('JSON Pointer (RFC 6901) into the file'),
      line: z.number().int(),
      column: z.number().int(),
      length: z.number().int(),
      detail: z.string(),
      hint: z.string().optional(),
    }),
  ),
})
export type ValidateResult = z.output<typeof validateResult>

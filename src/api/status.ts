import { z } from 'zod'

/** What `weft status` shows: one screen, and whether all is well. */
export const status = z.object({
  healthy: z.boolean(),
  controller: z.object({
    version: z.string(),
    revision: z.number().int(),
    started_at: z.string(),
    uptime_s: z.number(),
  }),
  store: z.object({
    available: z.boolean(),
    error: z.string().nullable(),
    endpoints: z.array(z.string()),
  }),
  topologies: z.number().int(),
  networks: z.number().int(),
  macs: z.number().int(),
  nodes: z.object({
    total: z.number().int(),
    ready: z.number().int(),
    not_ready: z.array(z.object({ name: z.string(), state: z.string() })),
    behind: z.array(
      z.object({ name: z.string(), applied_revision: z.number().int(), sent_revision: z.number().int() }),
    ),
  }),
  drops: z.object({
    per_minute: z.number().nullable(),
    top: z.array(z.object({ reason: z.string(), node: z.string(), per_minute: z.number() })),
  }),
  events_lost: z.number().int(),
  losses: z.record(z.string(), z.number().int()).describe('Beside frames and events, by kind'),
  problems: z.array(
    z.object({
      subject: z.string().describe('A node, or `controller`'),
      state: z.string(),
      code: z.string(),
      what: z.string(),
      message: z.string(),
      next: z.string(),
    }),
  ),
  notes: z
    .array(z.object({ subject: z.string(), what: z.string(), message: z.string() }))
    .describe('Worth knowing, and nothing that is wrong'),
})
export type Status = z.output<typeof status>

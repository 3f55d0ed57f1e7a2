import { z } from 'zod'
import { silentNode } from './frames.js'
import { mac } from './items.js'

export const macEvent = z.object({
  at: z.string().describe('RFC 3339, UTC'),
  where: z.string().describe('Whose record: controller, or the node that saw it'),
  event: z.string().describe('learned, moved, refused, frozen, thawed; those of nodes beside'),
  by: z.string().nullable().describe('The node that said so'),
  from: z.string().nullable().describe('Where the MAC was, and stays when refused: node/interface or VTEP'),
  to: z.string().nullable().describe('Where it was said to be'),
  seq: z.number().int().nullable().describe('How often it had moved after this'),
  announced: z
    .boolean()
    .describe('The station said itself where it is: gratuitous ARP, unsolicited NA, RARP'),
  reason: z.string().nullable().describe('Why it was refused'),
  count: z.number().int().describe('Refusals alike in a row, at most one a second'),
  last_at: z.string().nullable().describe('Of the last of them'),
})
export type MacEventItem = z.output<typeof macEvent>

/** One MAC in one network: where it is, and how that came about. */
export const macRecord = z.object({
  network: z.string().nullable().describe('null: no topology has the VNI any more'),
  vni: z.number().int(),
  place: mac.nullable().describe('null: it is at no known place now'),
  frozen_until: z.string().nullable().describe('When it may move again, unless somebody tries before'),
  journal: z.array(macEvent).describe('Oldest first'),
})
export type MacRecordItem = z.output<typeof macRecord>

export const macDetail = z.object({
  mac: z.string(),
  networks: z.array(macRecord).describe('That have it or have it on record'),
  silent: z.array(silentNode).optional().describe('Nodes that were asked and did not answer'),
})
export type MacDetail = z.output<typeof macDetail>

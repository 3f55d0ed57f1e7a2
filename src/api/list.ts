import { z } from 'zod'
import { type SilentNode, silentNode } from './frames.js'
import { drop, mac, network, node, port, tunnel } from './items.js'
import { topology } from './topology.js'

/** The lists of the API: path, item, filters, and the fields that name one item. */
export const lists = {
  topologies: { item: topology, filters: ['name'], key: ['name'] },
  nodes: { item: node, filters: ['name', 'state', 'vtep'], key: ['name'] },
  networks: { item: network, filters: ['name', 'vni', 'topology'], key: ['name', 'topology'] },
  ports: {
    item: port,
    filters: ['node', 'interface', 'network', 'vni', 'state'],
    key: ['node', 'interface'],
  },
  macs: {
    item: mac,
    filters: ['network', 'vni', 'mac', 'ip', 'node', 'interface', 'vtep', 'type'],
    key: ['vni', 'mac'],
  },
  tunnels: {
    item: tunnel,
    filters: ['node', 'peer', 'network', 'vni', 'remote'],
    key: ['node', 'vni', 'remote'],
  },
  drops: {
    item: drop,
    filters: ['node', 'network', 'vni', 'program', 'reason'],
    key: ['node', 'vni', 'program', 'reason'],
  },
} as const satisfies Record<string, ListSpec>

export interface ListSpec {
  readonly item: z.ZodObject
  /** Fields that may be asked for by value. */
  readonly filters: readonly string[]
  /** Together unique; also the order of the list. */
  readonly key: readonly string[]
}

export type ListName = keyof typeof lists
export type ItemOf<L extends ListName> = z.output<(typeof lists)[L]['item']>

export const MAX_LIMIT = 10_000
export const DEFAULT_LIMIT = 1000

const oneOrMore = z.union([z.string(), z.array(z.string())])

/** The query of one list: its filters (repeated: any of the values), order, page and field selection. */
export function listQuery(name: ListName) {
  const fields = Object.keys(lists[name].item.shape)
  const filters = Object.fromEntries(
    lists[name].filters.map((field) => [
      field,
      oneOrMore.optional().describe('Equal to this; repeated: to any'),
    ]),
  )
  return z.strictObject({
    ...filters,
    sort: z
      .enum([...fields, ...fields.map((field) => `-${field}`)])
      .optional()
      .describe('Order by this field, `-` before it for descending'),
    limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
    cursor: z.string().optional().describe('`next_cursor` of the page before'),
    fields: z
      .string()
      .optional()
      .describe('Only these, comma-separated')
      .refine((text) => text === undefined || text.split(',').every((field) => fields.includes(field)), {
        message: `one or more of ${fields.join(', ')}`,
      }),
  })
}

/** The parsed query of any list. */
export interface ListQuery {
  readonly sort?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
  readonly fields?: string | undefined
  readonly [filter: string]: unknown
}

/** The answer of any list. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({
    revision: z.number().int().describe('Of the view this was read from'),
    items: z.array(item),
    next_cursor: z.string().nullable(),
    silent: z
      .array(silentNode)
      .optional()
      .describe('Nodes that were asked for their part and did not answer'),
  })
}

export interface List<T> {
  readonly revision: number
  readonly items: readonly T[]
  readonly next_cursor: string | null
  readonly silent?: readonly SilentNode[]
}

import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { nodeDetail as nodeDetailSchema } from '../../../api/items.js'
import { type List, type ListName, type ListQuery, listOf, listQuery, lists } from '../../../api/list.js'
import { WeftError } from '../../../common/errors.js'
import { didYouMean } from '../../../common/guess.js'
import { askLearned } from '../../frames/learned.js'
import {
  dropItems,
  macItem,
  networkItems,
  nodeDetail,
  nodeItem,
  portItems,
  topologyItem,
  tunnelItems,
} from '../items.js'
import { page } from '../listing.js'
import type { Observed } from '../observed.js'

type Items = Iterable<Readonly<Record<string, unknown>>>

const sources: Readonly<Record<ListName, (observed: Observed) => Items>> = {
  topologies: ({ control }) => control.topologies().map(topologyItem),
  nodes: (observed) => observed.control.nodes().map((node) => nodeItem(observed, node)),
  networks: networkItems,
  ports: (observed) => portItems(observed),
  macs: ({ control }) => mapped(control.macs(), macItem),
  tunnels: (observed) => observed.control.nodes().flatMap((node) => tunnelItems(observed, node)),
  drops: (observed) => observed.control.nodes().flatMap((node) => dropItems(observed, node)),
}

/** `GET /api/v1/<list>` for each, and one node with all about it. */
export function listRoutes(app: FastifyInstance, observed: Observed): void {
  for (const name of Object.keys(lists) as ListName[]) {
    app.get(
      `/api/v1/${name}`,
      {
        schema: {
          summary: `List ${name}`,
          tags: ['lists'],
          querystring: listQuery(name),
          response: { 200: listOf(lists[name].item) },
        },
      },
      async (request): Promise<List<unknown>> => {
        const query = request.query as ListQuery
        const learned = name === 'macs' ? await learnedOf(observed, query) : undefined
        const all = learned ? chained(sources[name](observed), learned.items) : sources[name](observed)
        const { items, next_cursor } = page(name, all, query)
        const silent = learned && learned.silent.length > 0 ? { silent: learned.silent } : {}
        return { revision: Number(observed.control.revision), items, next_cursor, ...silent }
      },
    )
  }
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/nodes/:name',
    {
      schema: {
        summary: 'One node with its ports, programs, maps, tunnels and drops',
        tags: ['lists'],
        params: z.object({ name: z.string() }),
        response: { 200: nodeDetailSchema },
      },
    },
    (request) => {
      const { name } = request.params
      const nodes = observed.control.nodes()
      const found = nodes.find((node) => node.name === name)
      if (found) return nodeDetail(observed, found)
      const names = nodes.map((node) => node.name)
      throw new WeftError('W-3007', `there is no node "${name}"${didYouMean(name, names)}`, {
        next: 'weft get nodes',
      })
    },
  )
}

/** What only the nodes know: they are asked when such a network is wanted. */
function learnedOf({ control, directory }: Observed, query: ListQuery): ReturnType<typeof askLearned> {
  const isAsked = (field: string, value: string) =>
    query[field] === undefined || [query[field]].flat().map(String).includes(value)
  return askLearned(
    control,
    directory,
    ({ name, vni }) => isAsked('network', name) && isAsked('vni', `${vni}`),
  )
}

function* chained<T>(...all: Iterable<T>[]): Iterable<T> {
  for (const items of all) yield* items
}

function* mapped<T, U>(items: Iterable<T>, to: (item: T) => U): Iterable<U> {
  for (const item of items) yield to(item)
}

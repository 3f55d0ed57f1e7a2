import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  applyQuery,
  applyResult,
  type DiffResult,
  diffResult,
  type TopologyDetail,
  topologyDetail,
  type ValidateResult,
  validateResult,
} from '../../../api/topology.js'
import { WeftError } from '../../../common/errors.js'
import { didYouMean } from '../../../common/guess.js'
import {
  checkAgainst,
  diffDesired,
  type Loaded,
  loadTopology,
  placeFindings,
} from '../../../topology/index.js'
import type { Control, StoredTopology } from '../../control.js'
import { applyTopology } from '../apply.js'
import { topologyItem } from '../items.js'
import type { Metrics } from '../metrics.js'
import { placeOf, TopologyProblems } from '../problems.js'

const params = z.object({ name: z.string() })
const body = z.string().describe('A topology file, YAML or JSON')
const consumes = ['application/yaml', 'application/json']
const ifMatch = z.object({
  'if-match': z.string().optional().describe('ETag of the revision that is to be replaced'),
})
const topologySchema = { tags: ['topologies'], params }

/** Reads, checks, compares, applies and removes topologies. */
export function topologyRoutes(
  app: FastifyInstance,
  control: Control,
  metrics: Metrics,
  options: { readonly lab: boolean },
): void {
  // The text itself is what the user wrote, and what positions are counted in: nothing parses it before us.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_, text, done) => done(null, text))
  const typed = app.withTypeProvider<ZodTypeProvider>()

  typed.get(
    '/api/v1/topologies/:name',
    {
      schema: { ...topologySchema, summary: 'One topology with its file', response: { 200: topologyDetail } },
    },
    ({ params: { name } }, reply): TopologyDetail => {
      const stored = find(control, name)
      reply.header('etag', `"${stored.revision}"`)
      return { ...topologyItem(stored), source: stored.source, desired: stored.desired }
    },
  )

  typed.put(
    '/api/v1/topologies/:name',
    {
      schema: {
        ...topologySchema,
        summary: 'Apply a topology',
        consumes,
        body,
        headers: ifMatch,
        querystring: applyQuery,
        response: { 200: applyResult },
      },
    },
    async ({ params: { name }, body: text, query, headers }, reply) => {
      const loaded = loadFor(name, text, options)
      const conflicts = conflictsOf(control, loaded)
      if (conflicts.length > 0) throw new TopologyProblems(conflicts)
      const match = parseIfMatch(headers['if-match'])
      const result = await applyTopology(
        control,
        loaded.desired!,
        text,
        { ...query, ifMatch: match },
        (stages) => metrics.observeApply(stages),
      )
      reply.header('etag', `"${result.revision}"`)
      return result
    },
  )

  typed.delete(
    '/api/v1/topologies/:name',
    { schema: { ...topologySchema, summary: 'Take a topology out of force', headers: ifMatch } },
    async ({ params: { name }, headers }) => {
      find(control, name)
      const match = parseIfMatch(headers['if-match'])
      const { revision, stored_ms } = await control.remove(
        name,
        match === undefined ? {} : { ifMatch: match },
      )
      return { name, revision: Number(revision), stages: { stored_ms } }
    },
  )

  typed.post(
    '/api/v1/topologies/:name/diff',
    {
      schema: {
        ...topologySchema,
        summary: 'What applying a topology would change',
        consumes,
        body,
        response: { 200: diffResult },
      },
    },
    ({ params: { name }, body: text }): DiffResult => {
      const { desired } = loadFor(name, text, options)
      const stored = control.topologies().find((topology) => topology.name === name)
      const changes = diffDesired(stored?.desired, desired!)
      return { name, revision: Number(stored?.revision ?? control.revision), changes }
    },
  )

  typed.post(
    '/api/v1/validate',
    {
      schema: {
        tags: ['topologies'],
        summary: 'Check a topology, also against those in force',
        consumes,
        body,
        response: { 200: validateResult },
      },
    },
    ({ body: text }): ValidateResult => {
      const loaded = loadTopology(text, options)
      const problems = loaded.problems.length > 0 ? loaded.problems : conflictsOf(control, loaded)
      return { valid: problems.length === 0, problems: problems.map(placeOf) }
    },
  )
}

function loadFor(name: string, text: string, options: { readonly lab: boolean }): Loaded {
  const loaded = loadTopology(text, options)
  if (loaded.problems.length > 0) throw new TopologyProblems(loaded.problems)
  if (loaded.desired!.name === name) return loaded
  throw new WeftError(
    'W-3012',
    `the path names "${name}", the topology calls itself "${loaded.desired!.name}"`,
  )
}

function conflictsOf(control: Control, { desired, document }: Loaded) {
  const others = control.topologies().map((topology) => topology.desired)
  return placeFindings(document, checkAgainst(desired!, others))
}

function find(control: Control, name: string): StoredTopology {
  const topologies = control.topologies()
  const found = topologies.find((topology) => topology.name === name)
  if (found) return found
  const guess = didYouMean(
    name,
    topologies.map((topology) => topology.name),
  )
  throw new WeftError('W-3007', `there is no topology "${name}"${guess}`, { next: 'weft get topologies' })
}

/** `"1843"`: that revision; `*` is not offered, since a replace needs no header. */
function parseIfMatch(header: string | undefined): bigint | undefined {
  if (header === undefined) return undefined
  const match = /^(?:W\/)?"?(\d+)"?$/.exec(header.trim())
  if (match) return BigInt(match[1]!)
  throw new WeftError('W-3012', `If-Match: ${header} is no ETag of a topology; one looks like "1843"`)
}

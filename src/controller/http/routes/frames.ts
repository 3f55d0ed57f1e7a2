import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import {
  type CaptureLine,
  type CaptureQuery,
  captureLine,
  captureQuery,
  fanout,
  fanoutRequest,
  trace,
  traceRequest,
} from '../../../api/frames.js'
import { WeftError } from '../../../common/errors.js'
import { didYouMean } from '../../../common/guess.js'
import { proveFanout } from '../../frames/fanout.js'
import { askLearned } from '../../frames/learned.js'
import { type FramesDeps, traceFrame } from '../../frames/trace.js'
import { macItem } from '../items.js'
import type { Observed } from '../observed.js'

/** Until the node says that its tap is in place. */
const ANSWER_MS = 5_000

/** Traces, proofs of fan-out, and captures. */
export function frameRoutes(app: FastifyInstance, observed: Observed): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const tags = ['frames']
  typed.post(
    '/api/v1/traces',
    { schema: { summary: 'Trace a frame', tags, body: traceRequest, response: { 200: trace } } },
    async (request, reply) => traceFrame(await framesDeps(observed, reply), request.body),
  )
  typed.post(
    '/api/v1/fanouts',
    {
      schema: {
        summary: 'Count the copies of a broadcast',
        tags,
        body: fanoutRequest,
        response: { 200: fanout },
      },
    },
    async (request, reply) => proveFanout(await framesDeps(observed, reply), request.body),
  )
  typed.get(
    '/api/v1/captures',
    {
      schema: {
        summary: 'Frames at the programs of a node, a line of JSON for each batch, until the connection ends',
        tags,
        produces: ['application/x-ndjson'],
        querystring: captureQuery,
        response: { 200: captureLine },
      } as object,
    },
    (request, reply) =>
      sendCapture(observed, request as FastifyRequest<{ Querystring: CaptureQuery }>, reply),
  )
}

async function framesDeps(observed: Observed, reply: FastifyReply): Promise<FramesDeps> {
  const { control, directory } = observed
  const learned = await askLearned(control, directory)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const macs = [...[...control.macs()].map(macItem), ...learned.items]
  return { control, directory, macs, signal: gone.signal }
}

function sendCapture(
  { control, directory }: Observed,
  { query }: FastifyRequest<{ Querystring: CaptureQuery }>,
  reply: FastifyReply,
): FastifyReply {
  const { node, ...rest } = query
  if (!directory.nodes.has(node)) {
    const guess = didYouMean(node, [...directory.nodes.keys()])
    throw new WeftError('W-3007', `there is no node "${node}"${guess}`, { next: 'weft get nodes' })
  }
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const lines = captureLines(control, node, rest, gone.signal)
  // JSON is for objects; lines are text already.
  return reply
    .type('application/x-ndjson')
    .serializer((payload: unknown) => payload as string)
    .send(Readable.from(lines))
}

async function* captureLines(
  control: Observed['control'],
  node: string,
  query: Omit<CaptureQuery, 'node'>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let lost = 0
  try {
    const macs = { source: undefined, destination: undefined, both_ways: false, marker: 0n }
    // A port's own capture shows both directions; a node's shows each frame once, where it is decided.
    const question = { kind: 'tap', ...macs, deliveries: query.interface !== '', ...query } as const
    for await (const body of control.ask(node, question, { timeoutMs: ANSWER_MS, signal })) {
      lost = body.lost
      const frames = body.frames.map((frame) => ({
        ...frame,
        at_ns: `${frame.at_ns}`,
        vtep: frame.vtep ?? null,
        bytes: Buffer.from(frame.bytes).toString('base64'),
      }))
      yield lineOf({ frames, lost })
    }
  } catch (err) {
    const { code, message } = WeftError.from(err)
    yield lineOf({ frames: [], lost, error: { code, message } })
  }
}

function lineOf(line: CaptureLine): string {
  return `${JSON.stringify(line)}\n`
}

import { z } from 'zod'

/** Traces, proofs of fan-out and captures, as the HTTP API gives them. */
const count = z.number().int().min(0)

const place = z.object({ node: z.string(), interface: z.string() })
export type PortPlace = z.output<typeof place>

export const traceRequest = z.strictObject({
  from: z.string().describe('NODE/INTERFACE, or a MAC or IP that is known in a network'),
  to: z.string().describe('A MAC, or an IP that is known in the network'),
  network: z.string().optional().describe('Where several have the MAC or IP'),
  mode: z.enum(['simulate', 'live', 'both']).default('both'),
  count: z.number().int().min(1).max(100).default(5).describe('Live probes'),
  size: z.number().int().min(60).max(3700).default(98).describe('Bytes of each, with the Ethernet header'),
})
export type TraceRequest = z.output<typeof traceRequest>

const lookedUp = z.object({
  map: z.string(),
  key: z.string(),
  value: z.string().describe('Empty: there is no such entry'),
  revision: count.describe("Of the segment's table that wrote it; 0: none did, it was learned"),
})

const hop = z.object({
  hop: count,
  node: z.string(),
  program: z.string(),
  where: z.string().describe('The port, or the VTEP that it came from'),
  reason: z.string().describe('As forward_tunnel'),
  looked_up: z.array(lookedUp),
  next: z.array(z.string()).describe('Ports, VTEPs and the group that it goes on to'),
  revision: count.describe("Up to which the node's tables were written"),
})
export type TraceHop = z.output<typeof hop>

const event = z.object({
  hop: count,
  node: z.string(),
  program: z.string(),
  where: z.string(),
  reason: z.string(),
  vtep: z.string().nullable().describe('The other end of the tunnel'),
  at_us: z.number().describe("Of the first probe, since it was first seen; by each node's own clock"),
  frames: count,
})
export type TraceEvent = z.output<typeof event>

const delivery = place.extend({ frames: count })
export type Delivery = z.output<typeof delivery>

export const silentNode = z.object({ node: z.string(), code: z.string(), message: z.string() })
export type SilentNode = z.output<typeof silentNode>

export const trace = z.object({
  id: z.string(),
  network: z.string(),
  vni: count,
  from: place.extend({ mac: z.string(), ip: z.string().nullable() }),
  to: z.object({
    mac: z.string(),
    ip: z.string().nullable(),
    node: z.string().nullable(),
    interface: z.string().nullable(),
  }),
  delivered: z.boolean(),
  simulated: z.object({ hops: z.array(hop), delivered: z.array(place) }).nullable(),
  live: z
    .object({ probes: count, events: z.array(event), delivered: z.array(delivery), lost_records: count })
    .nullable(),
  differences: z.array(z.string()).describe('Between the tables and what the probes met'),
  silent: z.array(silentNode).describe('Nodes that did not answer'),
})
export type Trace = z.output<typeof trace>

export const fanoutRequest = z.strictObject({
  network: z.string(),
  from: z.string().optional().describe('NODE/INTERFACE'),
})
export type FanoutRequest = z.output<typeof fanoutRequest>

export const fanout = z.object({
  network: z.string(),
  vni: count,
  from: place.extend({ mac: z.string() }),
  exact: z.boolean().describe('One copy at every other port, none at the sender'),
  ports: z.array(
    place.extend({ copies: count.nullable().describe('null: the node did not answer'), expected: count }),
  ),
  silent: z.array(silentNode),
})
export type Fanout = z.output<typeof fanout>

export const captureQuery = z.strictObject({
  node: z.string(),
  interface: z.string().default('').describe('A port; every program of the node unless given'),
  vni: z.coerce.number().int().min(0).default(0),
  duration_ms: z.coerce.number().int().min(1).max(3_600_000).default(60_000),
  snaplen: z.coerce.number().int().min(14).max(1536).default(128),
  most: z.coerce.number().int().min(1).max(10_000_000).default(1_000_000).describe('Frames, then it ends'),
})
export type CaptureQuery = z.output<typeof captureQuery>

/** One line of a capture. The first has neither frames nor an error: the tap is in place. */
export const captureLine = z.object({
  frames: z.array(
    z.object({
      at_ns: z.string().describe("Since 1970, by the node's clock"),
      vni: count,
      program: z.string(),
      reason: z.string(),
      interface: z.string(),
      vtep: z.string().nullable(),
      length: count,
      bytes: z.string().describe('Base64'),
    }),
  ),
  lost: count.describe('Frames that found no room, since the beginning'),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})
export type CaptureLine = z.output<typeof captureLine>

import { z } from 'zod'
import {
  type DesiredTopology,
  type NetworkSpec,
  type NodeSpec,
  networkDefaults,
  type PortSpec,
  type StaticSpec,
} from '../../model/desired-state.js'

/**
 * PURE: a topology as the objects that etcd holds: `meta/self`, `node/<name>`,
 * `network/<name>`, `port/<network>/<page>`, `static/<network>/<page>` and
 * `source/<page>`. A small edit changes a few of them; none comes near etcd's
 * limit for a value.
 */
export type TopologyObjects = ReadonlyMap<string, string>

const PORTS_PER_PAGE = 500
const STATICS_PER_PAGE = 500
// Of UTF-16 units, which JSON can make six bytes each: below etcd's 1.5 MiB for a request.
const SOURCE_PER_PAGE = 128 * 1024

/** Of a head: `topology/<name>`. */
export const headSchema = z.object({
  epoch: z.string().min(1),
  count: z.number().int().min(1),
  applied_at: z.string(),
})
export type Head = z.output<typeof headSchema>

const nodeSchema = z.object({
  name: z.string(),
  underlay: z
    .object({ dev: z.string(), address: z.string(), prefix_length: z.number(), port: z.number() })
    .optional(),
}) as z.ZodType<NodeSpec>

// Defaults are for what an older version stored: as if its file were applied again.
const networkSchema = z.object({
  name: z.string(),
  vni: z.number().int().min(1),
  mode: z.enum(['unicast', 'multicast']),
  flood: z.enum(['replicate', 'none', 'group']),
  group: z.string().optional(),
  learning: z.enum(['control', 'dataplane', 'static']),
  mac_ageing_s: z.number(),
  arp: z.enum(['flood', 'suppress']),
  mtu: z.union([z.number(), z.literal('auto')]),
  mac_limit: z.number().default(networkDefaults.mac_limit),
  bum_limit: z.number().default(networkDefaults.bum_limit),
  ra_guard: z.boolean().default(false),
  fast_path: z.enum(['auto', 'off']).default('auto'),
  remotes: z.array(z.string()),
}) as unknown as z.ZodType<Omit<NetworkSpec, 'ports' | 'static'>>

const portsSchema = z.array(
  z.object({
    node: z.string(),
    interface: z.string(),
    kind: z.literal('bridge').optional(),
    macs: z.array(z.string()).optional(),
    addresses: z.array(z.string()).optional(),
    router: z.literal(true).optional(),
  }),
) as z.ZodType<PortSpec[]>
const staticsSchema = z.array(
  z.object({
    mac: z.string(),
    ip: z.string().optional(),
    node: z.string().optional(),
    remote: z.string().optional(),
  }),
) as z.ZodType<StaticSpec[]>

const metaSchema = z.object({
  description: z.string(),
  nodes: z.array(z.string()),
  networks: z.array(z.string()),
})

export function splitTopology(desired: DesiredTopology, source: string): TopologyObjects {
  const objects = new Map<string, string>()
  const put = (id: string, value: unknown) => objects.set(id, JSON.stringify(value))
  put('meta/self', {
    description: desired.description,
    nodes: desired.nodes.map(({ name }) => name),
    networks: desired.networks.map(({ name }) => name),
  })
  for (const node of desired.nodes) put(`node/${node.name}`, node)
  for (const { ports, static: statics, ...network } of desired.networks) {
    put(`network/${network.name}`, network)
    for (const [i, page] of pages(ports, PORTS_PER_PAGE)) put(`port/${network.name}/${i}`, page)
    for (const [i, page] of pages(statics, STATICS_PER_PAGE)) put(`static/${network.name}/${i}`, page)
  }
  for (let at = 0; at < source.length; at += SOURCE_PER_PAGE) {
    put(`source/${at / SOURCE_PER_PAGE}`, source.slice(at, at + SOURCE_PER_PAGE))
  }
  return objects
}

/** @throws Error that names the object that is missing or cannot be read. */
export function joinTopology(
  name: string,
  objects: TopologyObjects,
): { desired: DesiredTopology; source: string } {
  const meta = read(objects, 'meta/self', metaSchema)
  const desired: DesiredTopology = {
    name,
    description: meta.description,
    nodes: meta.nodes.map((node) => read(objects, `node/${node}`, nodeSchema)),
    networks: meta.networks.map((network) => ({
      ...read(objects, `network/${network}`, networkSchema),
      ports: readPages(objects, `port/${network}`, portsSchema).flat(),
      static: readPages(objects, `static/${network}`, staticsSchema).flat(),
    })),
  }
  return { desired, source: readPages(objects, 'source', z.string()).join('') }
}

function* pages<T>(items: readonly T[], size: number): Generator<[number, T[]]> {
  for (let at = 0; at < items.length; at += size) yield [at / size, items.slice(at, at + size)]
}

function readPages<T>(objects: TopologyObjects, of: string, schema: z.ZodType<T>): T[] {
  const all: T[] = []
  while (objects.has(`${of}/${all.length}`)) all.push(read(objects, `${of}/${all.length}`, schema))
  return all
}

function read<T>(objects: TopologyObjects, id: string, schema: z.ZodType<T>): T {
  const text = objects.get(id)
  if (text === undefined) throw new Error(`${id} is missing`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Error(`${id} is not JSON`, { cause })
  }
  const result = schema.safeParse(value)
  if (!result.success) throw new Error(`${id}: ${z.prettifyError(result.error)}`)
  return result.data
}

import { z } from 'zod'

/**
 * What the lists of the HTTP API hold. Field names are those of the YAML, the
 * stream and the metrics. Counters are totals since the node's maps were made;
 * `*_per_s` is `null` until two reports of the node have come.
 */
const count = z.number().int().min(0)
const rate = z.number().min(0).nullable()
const vni = z.number().int().min(0)

export const failure = z.object({
  code: z.string().describe('Of the error catalogue, as W-2104'),
  what: z.string().describe('The object, as port host0/tap0'),
  message: z.string(),
  next: z.string().describe('The command that helps; may be empty'),
})
export type FailureItem = z.output<typeof failure>

export const nodeStates = ['ready', 'behind', 'degraded', 'away', 'undeclared'] as const

export const node = z.object({
  name: z.string(),
  state: z
    .enum(nodeStates)
    .describe(
      'ready; behind: has not acknowledged what was sent; degraded: could not program all of it; ' +
        'away: not connected; undeclared: connects, but no topology names it',
    ),
  vtep: z.string().nullable().describe('Underlay address'),
  dev: z.string().nullable().describe('Underlay device'),
  udp_port: z.number().int().nullable(),
  connected: z.boolean(),
  sent_revision: count,
  applied_revision: count,
  last_heard_at: z.string().nullable().describe('RFC 3339, UTC'),
  version: z.string().nullable(),
  abi: z.string().nullable().describe('Digest of the layouts the node was built with'),
  ports: count.describe('Declared'),
  macs: count.describe('On its ports'),
  drops_per_s: rate,
  events_lost: count,
  losses: z.record(z.string(), count).describe('Beside frames and events, by kind'),
  tunnel_mtu: z.number().int().nullable().describe('Of the VXLAN device, bytes'),
  failures: z.array(failure),
})
export type NodeItem = z.output<typeof node>

export const program = z.object({
  program: z.string(),
  interface: z.string(),
  direction: z.string(),
  id: count.describe("The kernel's program id"),
  mechanism: z.string().describe('tcx or clsact'),
})

export const map = z.object({ map: z.string(), entries: count, max_entries: count })

export const network = z.object({
  name: z.string(),
  topology: z.string(),
  vni,
  mode: z.string(),
  flood: z.string().describe('replicate, none, or group: to the multicast group'),
  group: z.string().nullable().describe('Multicast address of the underlay'),
  learning: z.string().describe('control, dataplane or static'),
  arp: z.string(),
  mac_ageing_s: count,
  mtu: z.union([z.number().int(), z.literal('auto')]),
  mac_limit: count.describe('MACs that may be learned on one port; 0: no limit'),
  bum_limit: count.describe('BUM packets that one port may send, a second; 0: no limit'),
  ra_guard: z.boolean().describe('Router advertisements only from ports of routers'),
  fast_path: z.string().describe('auto or off'),
  nodes: z.array(z.string()).describe('That have a port in it'),
  ports: count,
  macs: count,
  remotes: z.array(z.string()).describe('VTEPs that Weft does not run'),
})
export type NetworkItem = z.output<typeof network>

export const port = z.object({
  node: z.string(),
  interface: z.string().describe('Of a device, or of a Linux bridge'),
  network: z.string(),
  vni,
  kind: z.string().describe('device or bridge'),
  allowed_macs: z.array(z.string()).describe('The only MACs that may speak; all when empty'),
  allowed_ips: z.array(z.string()).describe('The only addresses that may be used; all when empty'),
  router: z.boolean().describe('Router advertisements may come from here'),
  state: z.string().describe('up, down, missing; unknown: the node has not reported it'),
  mtu: z.number().int().nullable(),
  ifindex: z.number().int().nullable(),
  macs: count,
})
export type PortItem = z.output<typeof port>

export const mac = z.object({
  network: z.string(),
  vni,
  mac: z.string(),
  ip: z.array(z.string()).describe('Addresses declared in the topology, or heard of it'),
  type: z.string().describe('port: learned; static: declared; remote: at a VTEP that Weft does not run'),
  node: z.string().nullable(),
  interface: z.string().nullable(),
  vtep: z.string(),
  learned: z.string().describe('control, file, or dataplane: by the programs of the nodes, which were asked'),
  seq: count.describe('How often it moved'),
  flags: z
    .string()
    .describe('S static, M moved in the last minute, D seen in two places, E remote VTEP not ours'),
  since_s: z.number().nullable().describe('Seconds at this place'),
  seen_s: z.number().nullable().describe('Seconds since it spoke, where the dataplane learned it'),
})
export type MacItem = z.output<typeof mac>

export const tunnel = z.object({
  node: z.string().describe('Whose counters these are'),
  peer: z.string().nullable().describe('The node at `remote`; null when Weft does not run it'),
  network: z.string().nullable(),
  vni,
  local: z.string().nullable(),
  remote: z.string(),
  tx_packets: count,
  tx_bytes: count.describe('Of the inner frames'),
  tx_flooded: count.describe('Of tx_packets, copies of broadcast, multicast and unknown unicast'),
  rx_packets: count,
  rx_bytes: count,
  rx_flooded: count,
  tx_fast: count.describe('Of tx_packets, those that took the fast path'),
  rx_fast: count.describe('Of rx_packets, those that took the fast path'),
  tx_packets_per_s: rate,
  tx_bytes_per_s: rate,
  rx_packets_per_s: rate,
  rx_bytes_per_s: rate,
  macs: count.describe('Behind the remote VTEP in this network'),
  mtu: z.number().int().nullable().describe('Of the VXLAN device, bytes'),
  path_state: z
    .string()
    .nullable()
    .describe(
      'ok; too_small: full frames are lost on the way; no_answer: the peer answers no probe; unknown: not yet probed',
    ),
  path_mtu: z
    .number()
    .int()
    .nullable()
    .describe('Largest Ethernet payload that comes through to the remote VTEP'),
  wanted_mtu: z.number().int().nullable().describe('What the networks between the two need'),
  rtt_us: z.number().int().nullable().describe('Of the last probe that was answered, microseconds'),
})
export type TunnelItem = z.output<typeof tunnel>

export const drop = z.object({
  node: z.string(),
  network: z.string().nullable().describe('null: before or outside any network, vni is then 0'),
  vni,
  program: z.string(),
  reason: z.string(),
  packets: count,
  bytes: count,
  packets_per_s: rate,
})
export type DropItem = z.output<typeof drop>

/** One node with what only `describe` needs. */
export const nodeDetail = node.extend({
  instance: z.string().nullable().describe('Changes with each start of the daemon'),
  port_list: z.array(port),
  program_list: z.array(program),
  map_list: z.array(map),
  tunnel_list: z.array(tunnel),
  drop_list: z.array(drop),
})
export type NodeDetail = z.output<typeof nodeDetail>

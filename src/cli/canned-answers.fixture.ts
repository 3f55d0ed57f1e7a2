import type {
  DropItem,
  MacItem,
  NetworkItem,
  NodeDetail,
  NodeItem,
  PortItem,
  TunnelItem,
} from '../api/items.js'
import type { MacDetail, MacEventItem } from '../api/journal.js'
import type { Status } from '../api/status.js'
import type { ApplyResult, TopologyItem } from '../api/topology.js'
import { fanout, trace } from './canned-frames.fixture.js'

/** What a controller of two nodes, one of them in trouble, answers; the API's own types keep it true. */
export const now = new Date('2026-11-21T02:41:49.000Z')

export const topologies: TopologyItem[] = [
  {
    name: 'bridge-unicast',
    description: 'Two hosts',
    revision: 1842,
    applied_at: '2026-11-21T02:31:49.000Z',
    nodes: 2,
    networks: 1,
    ports: 2,
  },
]

export const nodes: NodeItem[] = [
  {
    name: 'host0',
    state: 'ready',
    vtep: '172.16.1.100',
    dev: 'eth0',
    udp_port: 4789,
    connected: true,
    sent_revision: 1842,
    applied_revision: 1842,
    last_heard_at: '2026-11-21T02:41:48.000Z',
    version: '0.1.0',
    abi: '0123456789abcdef0123',
    ports: 1,
    macs: 1,
    drops_per_s: 0.2,
    events_lost: 0,
    losses: {},
    tunnel_mtu: 1450,
    failures: [],
  },
  {
    name: 'host10',
    state: 'away',
    vtep: '172.16.1.110',
    dev: 'eth0',
    udp_port: 4789,
    connected: false,
    sent_revision: 1842,
    applied_revision: 1839,
    last_heard_at: '2026-11-21T02:41:08.000Z',
    version: null,
    abi: null,
    ports: 1,
    macs: 0,
    drops_per_s: null,
    events_lost: 0,
    losses: {},
    tunnel_mtu: null,
    failures: [],
  },
]

export const networks: NetworkItem[] = [
  {
    name: 'red',
    topology: 'bridge-unicast',
    vni: 10_000,
    mode: 'unicast',
    flood: 'replicate',
    group: null,
    learning: 'control',
    arp: 'flood',
    mac_ageing_s: 300,
    mtu: 'auto',
    mac_limit: 4096,
    bum_limit: 0,
    ra_guard: true,
    fast_path: 'auto',
    nodes: ['host0', 'host10'],
    ports: 2,
    macs: 1024,
    remotes: ['192.0.2.77'],
  },
]

export const ports: PortItem[] = [
  {
    node: 'host0',
    interface: 'tap0',
    network: 'red',
    vni: 10_000,
    kind: 'device',
    allowed_macs: ['02:00:00:01:00:01'],
    allowed_ips: ['99.1.0.1/32', '99.1.1.0/24', 'fd00::/64'],
    router: true,
    state: 'up',
    mtu: 1450,
    ifindex: 7,
    macs: 1,
  },
]

const learned: MacItem = {
  network: 'red',
  vni: 10_000,
  mac: '02:00:00:01:00:02',
  ip: ['99.1.0.2', 'fd00:99:1::2'],
  type: 'port',
  node: 'host0',
  interface: 'tap0',
  vtep: '172.16.1.100',
  learned: 'control',
  seq: 3,
  flags: 'M',
  since_s: 252,
  seen_s: null,
}

export const macs: MacItem[] = [
  learned,
  {
    ...learned,
    mac: '02:00:00:01:00:09',
    ip: ['99.1.0.9'],
    type: 'static',
    node: 'host10',
    interface: null,
    vtep: '172.16.1.110',
    learned: 'file',
    seq: 0,
    flags: 'S',
    since_s: null,
  },
]

export const tunnels: TunnelItem[] = [
  {
    node: 'host0',
    peer: 'host10',
    network: 'red',
    vni: 10_000,
    local: '172.16.1.100',
    remote: '172.16.1.110',
    tx_packets: 12_345,
    tx_bytes: 1_234_567,
    tx_flooded: 12,
    rx_packets: 10,
    rx_bytes: 980,
    rx_flooded: 1,
    tx_fast: 0,
    rx_fast: 0,
    tx_packets_per_s: 10,
    tx_bytes_per_s: 1116,
    rx_packets_per_s: 0,
    rx_bytes_per_s: 0,
    macs: 1,
    mtu: 1450,
    path_state: 'too_small',
    path_mtu: 1350,
    wanted_mtu: 1450,
    rtt_us: 640,
  },
]

export const drops: DropItem[] = [
  {
    node: 'host0',
    network: null,
    vni: 0,
    program: 'tunnel_ingress',
    reason: 'unknown_vni',
    packets: 9,
    bytes: 882,
    packets_per_s: 0.15,
  },
]

export const nodeDetail: NodeDetail = {
  ...nodes[0]!,
  state: 'degraded',
  applied_revision: 1839,
  failures: [
    {
      code: 'W-2104',
      what: 'port host0/tap0',
      message: 'there is no interface tap0',
      next: 'weft describe node host0',
    },
  ],
  instance: 'f00d',
  port_list: ports,
  program_list: [
    { program: 'port_ingress', interface: 'tap0', direction: 'ingress', id: 51, mechanism: 'tcx' },
    { program: 'tunnel_ingress', interface: 'weft-vxlan', direction: 'ingress', id: 52, mechanism: 'tcx' },
  ],
  map_list: [{ map: 'fdb', entries: 2, max_entries: 131_072 }],
  tunnel_list: tunnels,
  drop_list: drops,
}

export const healthy: Status = {
  healthy: true,
  controller: { version: '0.1.0', revision: 1842, started_at: '2026-11-18T02:41:49.000Z', uptime_s: 273_600 },
  store: { available: true, error: null, endpoints: ['http://127.0.0.1:2379'] },
  topologies: 1,
  networks: 4,
  macs: 1024,
  nodes: { total: 9, ready: 9, not_ready: [], behind: [] },
  drops: { per_minute: 0, top: [] },
  events_lost: 0,
  losses: {},
  problems: [],
  notes: [],
}

export const unhealthy: Status = {
  ...healthy,
  healthy: false,
  nodes: {
    total: 9,
    ready: 7,
    not_ready: [
      { name: 'host6', state: 'degraded' },
      { name: 'host7', state: 'away' },
    ],
    behind: [{ name: 'host6', applied_revision: 1839, sent_revision: 1842 }],
  },
  drops: {
    per_minute: 12,
    top: [
      { reason: 'unknown_vni', node: 'host6', per_minute: 9 },
      { reason: 'over_mtu', node: 'host0', per_minute: 3 },
    ],
  },
  events_lost: 1204,
  losses: { copy: 3 },
  notes: [
    {
      subject: 'controller',
      what: 'key /weft/v1/gateway/a in etcd',
      message: 'unknown to this version and left alone',
    },
  ],
  problems: [
    {
      subject: 'host6',
      state: 'degraded',
      code: 'W-2104',
      what: 'port host6/tap0',
      message: 'there is no interface tap0',
      next: 'weft describe node host6',
    },
    {
      subject: 'host7',
      state: 'away',
      code: 'W-3015',
      what: 'node host7',
      message: 'last heard at 2026-11-21T02:41:08.000Z',
      next: 'start weft-node there',
    },
  ],
}

export const applied: ApplyResult = {
  name: 'quickstart',
  revision: 1843,
  unchanged: false,
  dry_run: false,
  stages: { stored_ms: 11.4, sent_ms: 14.2, programmed_ms: 38 },
  nodes: { total: 9, slowest: 'host3', late: [] },
  failures: [],
}

const macEvent: MacEventItem = {
  at: '2026-11-21T02:37:30.120Z',
  where: 'controller',
  event: 'moved',
  by: 'host10',
  from: 'host0/tap0',
  to: 'host10/tap0',
  seq: 2,
  announced: false,
  reason: null,
  count: 1,
  last_at: null,
}

const macDetail: MacDetail = {
  mac: learned.mac,
  networks: [
    {
      network: 'red',
      vni: 10_000,
      place: learned,
      frozen_until: '2026-11-21T02:43:49.000Z',
      journal: [
        macEvent,
        {
          ...macEvent,
          at: '2026-11-21T02:37:30.125Z',
          event: 'refused',
          by: 'host0',
          from: 'host10/tap0',
          to: 'host0/tap0',
          reason: 'late',
        },
        {
          ...macEvent,
          at: '2026-11-21T02:37:37.000Z',
          by: 'host0',
          from: 'host10/tap0',
          to: 'host0/tap0',
          seq: 3,
          announced: true,
        },
        {
          ...macEvent,
          at: '2026-11-21T02:37:37.000Z',
          event: 'frozen',
          by: null,
          from: null,
          to: null,
          seq: 3,
        },
        {
          ...macEvent,
          at: '2026-11-21T02:37:38.000Z',
          event: 'refused',
          from: 'host0/tap0',
          to: 'host10/tap0',
          seq: 3,
          reason: 'frozen',
          count: 12,
          last_at: '2026-11-21T02:40:49.000Z',
        },
      ],
    },
    { network: null, vni: 10_001, place: null, frozen_until: null, journal: [] },
  ],
}

/** The answers by method and path. */
export const answers = Object.fromEntries([
  ...Object.entries({ topologies, nodes, networks, ports, macs, tunnels, drops }).map(
    ([name, items]) =>
      [`GET /api/v1/${name}`, { body: { revision: 1842, items, next_cursor: null } }] as const,
  ),
  ['POST /api/v1/traces', { body: trace }] as const,
  ['POST /api/v1/fanouts', { body: fanout }] as const,
  ['GET /api/v1/status', { body: healthy }] as const,
  ['GET /api/v1/nodes/host0', { body: nodeDetail }] as const,
  [`GET /api/v1/macs/${macDetail.mac}`, { body: macDetail }] as const,
  ['PUT /api/v1/topologies/quickstart', { body: applied }] as const,
  [
    'POST /api/v1/topologies/quickstart/diff',
    {
      body: {
        name: 'quickstart',
        revision: 1842,
        changes: [
          {
            op: 'change',
            path: 'networks.green.mtu',
            from: '1450',
            to: '1400',
            effect: 'brief: ports of green',
          },
          { op: 'add', path: 'networks.blue', to: 'vni 101, unicast', effect: 'live' },
        ],
      },
    },
  ] as const,
  ['DELETE /api/v1/topologies/quickstart', { body: { name: 'quickstart', revision: 1844 } }] as const,
  [
    'GET /api/v1/topologies/bridge-unicast',
    { body: { ...topologies[0], source: 'kind: Topology\n' } },
  ] as const,
])

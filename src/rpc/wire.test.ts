import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalIp, type Ip } from '../model/ip.js'
import { isStation, type Mac } from '../model/mac.js'
import type { SegmentUpdate } from '../model/segment-update.js'
import { answers, questions } from './questions.fixture.js'
import type { ControllerChange, NodeReport } from './records.js'
import { decodeChange, decodeReport, encodeChange, encodeReport } from './wire.js'

const ip = fc.oneof(fc.ipV4(), fc.ipV6()).map((text): Ip => canonicalIp(text))
const mac = fc
  .nat({ max: 2 ** 48 - 1 })
  .map((value) => value as Mac)
  .filter(isStation)
const vni = fc.integer({ min: 1, max: 2 ** 24 - 1 })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const name = fc.string({ maxLength: 12 })
const port = fc.record({
  interface: name,
  vni,
  kind: fc.constantFrom('device' as const, 'bridge' as const),
  router: fc.boolean(),
  allowed_macs: fc.array(mac, { maxLength: 3 }),
  allowed_ips: fc.array(name, { maxLength: 3 }),
})

const spec = fc.record({
  network: name,
  flood_replicate: fc.boolean(),
  learn_ports: fc.boolean(),
  mac_ageing_s: fc.nat(1_000_000),
  mtu: fc.nat(65_535),
  members: fc.array(ip, { maxLength: 5 }),
  group: fc.option(ip, { nil: undefined }),
  claim_macs: fc.boolean(),
  learn_tunnels: fc.boolean(),
  suppress: fc.boolean(),
  ra_guard: fc.boolean(),
  fast_path: fc.boolean(),
  mac_limit: fc.nat(65_535),
  bum_limit: fc.nat(1_000_000),
})
const update: fc.Arbitrary<SegmentUpdate> = fc.record(
  {
    vni,
    kind: fc.constantFrom('unchanged' as const, 'delta' as const, 'snapshot' as const),
    from_revision: u64,
    to_revision: u64,
    hash: u64,
    body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    spec,
  },
  { requiredKeys: ['vni', 'kind', 'from_revision', 'to_revision', 'hash', 'body'] },
)
const change: fc.Arbitrary<ControllerChange> = fc.oneof(
  fc.record({
    kind: fc.constant('node' as const),
    assignment: fc.record({ underlay_dev: name, vtep: ip, udp_port: vni, ports: fc.array(port) }),
  }),
  fc.record({ kind: fc.constant('segment' as const), update }),
  fc.record({ kind: fc.constant('segment_remove' as const), vni }),
  fc.record({ kind: fc.constant('in_sync' as const), revision: u64 }),
  fc.record({ kind: fc.constant('ask' as const), id: vni, question: questions }),
  fc.record({ kind: fc.constant('ask_end' as const), id: vni }),
)

const tunnel = fc.record({
  vni,
  vtep: ip,
  tx_packets: count,
  tx_bytes: count,
  tx_flooded: count,
  rx_packets: count,
  rx_bytes: count,
  rx_flooded: count,
  tx_fast: count,
  rx_fast: count,
})
const verdict = fc.record({ vni, program: name, reason: name, packets: count, bytes: count })
const portState = fc.record({ interface: name, vni, state: name, mtu: vni, ifindex: vni })
const program = fc.record({ program: name, interface: name, direction: name, id: vni, mechanism: name })
const telemetry = fc.record({
  tunnels: fc.array(tunnel),
  verdicts: fc.array(verdict),
  ports: fc.array(portState),
  programs: fc.array(program),
  maps: fc.array(fc.record({ map: name, entries: vni, max_entries: vni })),
  events_lost: count,
  losses: fc.array(fc.record({ kind: fc.string(), count })),
  tunnel_mtu: vni,
  paths: fc.array(fc.record({ vtep: ip, state: name, path_mtu: vni, wanted_mtu: vni, rtt_us: vni })),
})
const failure = fc.record({ code: name, what: name, message: name, next: name })
const held = fc.record({ vni, revision: u64, hash: u64 })
const claim = fc.record({
  vni,
  mac,
  interface: name,
  withdraw: fc.boolean(),
  announced: fc.boolean(),
  addresses: fc.array(fc.record({ ip, router: fc.boolean() }), { maxLength: 3 }),
})
const report: fc.Arbitrary<NodeReport> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    hello: fc.record({ node: name, abi: name, version: name, instance: name, held: fc.array(held) }),
    protocol: vni,
  }),
  fc.record({
    kind: fc.constant('applied' as const),
    applied: fc.record({ revision: u64, failures: fc.array(failure) }),
  }),
  fc.record({
    kind: fc.constant('claims' as const),
    claims: fc.record({ complete: fc.boolean(), claims: fc.array(claim) }),
  }),
  fc.record({ kind: fc.constant('telemetry' as const), telemetry }),
  fc.record({ kind: fc.constant('segment_request' as const), vni }),
  fc.record({ kind: fc.constant('answer' as const), answer: answers }),
)

describe('the wire', () => {
  it('gives back every change of a controller', () => {
    fc.assert(
      fc.property(change, (value) => {
        expect(plain(decodeChange(encodeChange(value)))).toEqual(plain(value))
      }),
    )
  })

  it('gives back every report of a node', () => {
    fc.assert(
      fc.property(report, (value) => {
        expect(plain(decodeReport(encodeReport(value)))).toEqual(plain(value))
      }),
    )
  })

  it('refuses bytes that are no message, or an empty one, as W-3010', () => {
    expect(() => decodeReport(Buffer.from([0xff, 0xff]))).toThrow(expect.objectContaining({ code: 'W-3010' }))
    expect(() => decodeChange(Buffer.alloc(0))).toThrow(expect.objectContaining({ code: 'W-3010' }))
  })

  it('refuses a MAC that is not 6 bytes', () => {
    // claims { claims { vni: 1, mac: 01 02 03 } }
    const bytes = Buffer.from([0x1a, 9, 0x12, 7, 0x08, 1, 0x12, 3, 1, 2, 3])
    expect(() => decodeReport(bytes)).toThrow('a MAC is 6 bytes, not 3')
  })
})

// Decoded objects come from protobufjs' own classes; only their contents count.
function plain<T>(value: T): T {
  if (value instanceof Uint8Array) return [...value] as never
  if (Array.isArray(value)) return value.map(plain) as never
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)])) as never
}

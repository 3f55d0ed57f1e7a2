import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { type Mac, parseMac } from '../../model/mac.js'
import type { Place, SimulateQuestion } from '../../rpc/questions.js'
import { type FdbEntry, FdbFlag, PortFlag, type SegmentEntry, SegmentFlag } from '../bpf/abi.gen.js'
import { learnedOnPort, plainPortEntry } from '../bpf/values.fixture.js'
import { simulate, type Tables } from './simulation.js'

const mac = (text: string) => parseMac(text) as Mac
const [alice, bob, broadcast] = [mac('02:00:00:00:00:0a'), mac('02:00:00:00:00:0b'), mac('ff:ff:ff:ff:ff:ff')]
const there = '172.16.1.102' as Ip
const vni = 10_000
const names = new Map([
  [1, 'tap0'],
  [2, 'tap1'],
])
const segment: SegmentEntry = {
  flags: SegmentFlag.SEGMENT_FLOOD_REPLICATE,
  vtepCount: 1,
  portCount: 2,
  ageingS: 300,
  group: '::' as Ip,
  vtep: [there],
  port: [1, 2],
}
const remote: FdbEntry = { vtep: there, flags: FdbFlag.FDB_STATIC, revision: 42 }

const plain: Tables = {
  ifindex: (name) => [...names].find(([, one]) => one === name)?.[0],
  name: (ifindex) => names.get(ifindex)!,
  port: (ifindex) => (names.has(ifindex) ? plainPortEntry(vni) : undefined),
  segment: (one) => (one === vni ? segment : undefined),
  fdb: () => undefined,
  learned: () => undefined,
  vtep: (one, vtep) => one === vni && vtep === there,
  allowed: () => false,
  hasTunnel: true,
  nowNs: 1000e9,
  revision: 50n,
}

function run(tables: Partial<Tables>, question: Partial<SimulateQuestion> = {}) {
  const from: Place = { interface: 'tap0' }
  const asked = { kind: 'simulate' as const, vni, from, source: alice, destination: bob, size: 100 }
  return simulate({ ...asked, ...question }, { ...plain, ...tables })
}
const fdbOf = (whose: Mac, entry: FdbEntry) => ({
  fdb: (_: number, one: Mac) => (one === whose ? entry : undefined),
})
const heard = (ifindex: number) => ({ ...learnedOnPort(ifindex), seenNs: 999e9 })

describe('simulate() at a port', () => {
  it('names the entry that sends the frame to a VTEP, and the revision that wrote it', () => {
    const answer = run(fdbOf(bob, remote))
    expect(answer).toMatchObject({
      program: 'port_ingress',
      reason: 'forward_tunnel',
      next: [{ vtep: there }],
    })
    expect(answer.looked_up.at(-1)).toEqual({
      map: 'fdb',
      key: '10000 02:00:00:00:00:0b',
      value: '172.16.1.102 static',
      revision: 42n,
    })
  })

  it('goes to the port where the destination was heard', () => {
    expect(run({ learned: () => heard(2) })).toMatchObject({
      reason: 'forward_local',
      next: [{ interface: 'tap1' }],
    })
  })

  it('goes to the VTEP behind which it was heard', () => {
    const behind = { ...heard(0), vtep: there }
    expect(run({ learned: () => behind })).toMatchObject({
      reason: 'forward_tunnel',
      next: [{ vtep: there }],
    })
  })

  it('floods what is unknown, aged or for all: to the other ports and the VTEPs, or the group', () => {
    const everywhere = { reason: 'forward_flood', next: [{ interface: 'tap1' }, { vtep: there }] }
    expect(run({})).toMatchObject(everywhere)
    expect(run({ learned: () => ({ ...heard(2), seenNs: 1e9 }) })).toMatchObject(everywhere)
    expect(run(fdbOf(bob, remote), { destination: broadcast })).toMatchObject(everywhere)
    const group = '239.1.1.1' as Ip
    const multicast = { ...segment, flags: SegmentFlag.SEGMENT_FLOOD_GROUP, group }
    expect(run({ segment: () => multicast })).toMatchObject({ next: [{ interface: 'tap1' }], group })
  })

  it('stays on this node where the destination is here and silent', () => {
    const here = { vtep: '::' as Ip, flags: FdbFlag.FDB_LOCAL, revision: 1 }
    expect(run(fdbOf(bob, here))).toMatchObject({ reason: 'forward_flood', next: [{ interface: 'tap1' }] })
  })

  it.each<[string, Partial<Tables>, Partial<SimulateQuestion>]>([
    ['drop_unknown_port', {}, { from: { interface: 'eth9' } }],
    ['drop_unknown_segment', { segment: () => undefined }, {}],
    ['drop_source_mac', {}, { source: broadcast }],
    ['drop_link_local', {}, { destination: mac('01:80:c2:00:00:00') }],
    ['drop_over_mtu', {}, { size: 1465 }],
    ['drop_same_port', { learned: () => heard(1) }, {}],
    ['drop_static_elsewhere', fdbOf(alice, remote), {}],
    ['drop_no_tunnel', { ...fdbOf(bob, remote), hasTunnel: false }, {}],
    ['drop_no_member', { segment: () => ({ ...segment, vtep: [], port: [1] }) }, {}],
    ['drop_spoofed_mac', { port: () => ({ ...plainPortEntry(vni), flags: PortFlag.PORT_FILTER_MAC }) }, {}],
  ])('says %s', (reason, tables, question) => {
    expect(run(tables, question)).toMatchObject({ reason, next: [] })
  })
})

describe('simulate() at the tunnel', () => {
  const from: Place = { vtep: there }

  it('goes to the port of the destination, or to all ports, never into a tunnel', () => {
    const heardAt = { learned: () => heard(2) }
    expect(run(heardAt, { from })).toMatchObject({
      program: 'tunnel_ingress',
      reason: 'forward_local',
      next: [{ interface: 'tap1' }],
    })
    expect(run({}, { from })).toMatchObject({
      reason: 'forward_flood',
      next: [{ interface: 'tap0' }, { interface: 'tap1' }],
    })
  })

  it.each<[string, Partial<Tables>, Partial<SimulateQuestion>]>([
    ['drop_unknown_vni', {}, { vni: 7 }],
    ['drop_unknown_vtep', {}, { from: { vtep: '10.9.9.9' as Ip } }],
    ['drop_static_elsewhere', fdbOf(alice, { ...remote, vtep: '10.9.9.9' as Ip }), {}],
  ])('says %s', (reason, tables, question) => {
    expect(run(tables, { from, ...question })).toMatchObject({ reason, next: [] })
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { LossKind, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { plainConfig } from '../../src/node/bpf/values.fixture.js'
import { DataplaneRig } from './dataplane-rig.js'
import { arp, broadcast, ethernet } from './frames.js'
import { joinGroup } from './rig-network.js'
import { alice, aliceToBob, bob, otherVtep, remote, vni, vtep, vtep6 } from './stations.js'
import { groupMac, receiveThrough } from './through-tunnel.js'

const families: [string, { group: string; own: string; from: string }][] = [
  ['IPv4', { group: '239.1.1.1', own: '192.0.2.1', from: vtep }],
  ['IPv6', { group: 'ff05::1:1', own: '2001:db8::1', from: vtep6 }],
]
const { SEGMENT_FLOOD_GROUP, SEGMENT_FLOOD_REPLICATE, SEGMENT_LEARN_PORTS, SEGMENT_LEARN_TUNNELS } =
  SegmentFlag
const multicast = SEGMENT_FLOOD_GROUP | SEGMENT_LEARN_PORTS | SEGMENT_LEARN_TUNNELS

let rig: DataplaneRig
let port1: number
let port2: number

beforeAll(() => {
  rig = new DataplaneRig()
  for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
  for (const [, { group }] of families) joinGroup(group)
})
afterAll(() => rig[Symbol.dispose]())

const request = ethernet(
  { from: alice, to: broadcast },
  arp({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' }),
)
const answer = ethernet(
  { from: remote, to: broadcast },
  arp({ from: remote, fromIp: '10.0.0.2', toIp: '10.0.0.1' }),
)

describe.each(families)('a segment with a group of %s', (_, { group, own, from }) => {
  beforeEach(() => {
    rig.reset()
    rig.maps.config.set({ zero: 0 }, { ...plainConfig, vxlanIfindex: rig.vxlanIfindex, vtep: own as Ip })
    port1 = rig.addPort(rig.ports[0], vni)
    port2 = rig.addPort(rig.ports[1], vni)
    segment({})
  })
  const segment = (change: { flags?: number; ports?: number[] }) =>
    rig.addSegment(vni, {
      vteps: [vtep, otherVtep, vtep6],
      ports: [port1, port2],
      flags: multicast,
      group,
      ...change,
    })
  /** What came out of the ports, and of the underlay. */
  const out = () => ({
    ports: rig.ports.map((tap) => tap.received()),
    tunnel: rig.encapsulated().map(({ to, inner }) => ({ to, inner })),
  })

  test('gets one copy of BUM for the group and one for each other port', () => {
    rig.ports[0].send(request)
    expect(out()).toEqual({ ports: [[], [request], []], tunnel: [{ to: group, inner: request }] })
  })

  test('sends it from its VTEP to the MAC of the group, and on by routers', () => {
    rig.ports[0].send(request)
    const frames = rig.underlay.received().filter((frame) => frame[0]! & 1)
    const target = Buffer.from(frames[0]!.subarray(0, 6)).readUIntBE(0, 6)
    expect(target).toBe(groupMac(group))
    rig.ports[0].send(request)
    expect(rig.encapsulated()).toMatchObject([{ from: own, to: group, ttl: 64, vni, flags: 0x0800_0000 }])
  })

  test('counts it for the group', () => {
    rig.ports[0].send(request)
    rig.ports[0].send(aliceToBob)
    expect(rig.maps.tunnels.entriesSummed()).toMatchObject([
      [
        { vni, vtep: group },
        { txPackets: 2, txBytes: request.length + aliceToBob.length, txFlooded: 2, rxPackets: 0 },
      ],
    ])
  })

  test('sends unknown unicast there, and known unicast not', () => {
    rig.ports[0].send(aliceToBob)
    expect(out().tunnel).toEqual([{ to: group, inner: aliceToBob }])
    receiveThrough(
      rig,
      ethernet({ from: bob, to: broadcast }, { etherType: 0x88b5, bytes: new Uint8Array(46) }),
      { from },
    )
    out()
    rig.ports[0].send(aliceToBob)
    expect(out()).toEqual({ ports: [[], [], []], tunnel: [{ to: from, inner: aliceToBob }] })
  })

  test('does not need to replicate, and does not when told both', () => {
    segment({ flags: multicast | SEGMENT_FLOOD_REPLICATE })
    rig.ports[0].send(request)
    expect(out().tunnel).toEqual([{ to: group, inner: request }])
  })

  test('does not hear its own copy, though this node has joined the group', () => {
    const { verdicts } = rig.observe(() => rig.ports[0].send(request))
    expect(verdicts).toMatchObject([{ program: 'PROGRAM_PORT_INGRESS', reason: 'FORWARD_FLOOD', packets: 1 }])
    expect(out().ports).toEqual([[], [request], []])
  })

  test('takes in what members send to the group, and learns from it', () => {
    expect(receiveThrough(rig, answer, { from, to: group })).toMatchObject([
      { program: 'PROGRAM_TUNNEL_INGRESS', reason: 'FORWARD_FLOOD' },
    ])
    expect(out()).toEqual({ ports: [[answer], [answer], []], tunnel: [] })
    expect(rig.maps.learned.get({ vni, mac: remote })).toMatchObject({ vtep: from, ifindex: 0 })
  })

  test('takes nothing in from a stranger by the group', () => {
    const stranger = from === vtep6 ? '2001:db8:1::66' : '198.51.100.66'
    expect(receiveThrough(rig, answer, { from: stranger, to: group })).toMatchObject([
      { reason: 'DROP_UNKNOWN_VTEP', packets: 1 },
    ])
    expect(out()).toEqual({ ports: [[], [], []], tunnel: [] })
  })

  test('without other ports drops BUM when the VXLAN device is away, and says why', () => {
    segment({ ports: [port1] })
    rig.maps.config.set({ zero: 0 }, plainConfig)
    expect(rig.observe(() => rig.ports[0].send(request)).verdicts).toMatchObject([
      { reason: 'DROP_NO_TUNNEL', packets: 1 },
    ])
    expect(rig.losses(LossKind.LOSS_COPY)).toBe(1)
  })
})

test('more than the largest number of groups that hosts join by default go out each by its own', () => {
  rig.reset()
  rig.maps.config.set(
    { zero: 0 },
    { ...plainConfig, vxlanIfindex: rig.vxlanIfindex, vtep: '192.0.2.1' as Ip },
  )
  const groups = Array.from({ length: 40 }, (_, i) => `239.2.0.${i + 1}`)
  groups.forEach((group, i) => {
    const port = rig.addPort(rig.ports[0], 1000 + i)
    rig.addSegment(1000 + i, { ports: [port], flags: SEGMENT_FLOOD_GROUP, group })
    rig.ports[0].send(request)
  })
  expect(rig.encapsulated().map(({ to, vni: of }) => [to, of])).toEqual(groups.map((to, i) => [to, 1000 + i]))
})

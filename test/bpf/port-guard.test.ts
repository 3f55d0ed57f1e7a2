import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { PortFlag, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { DataplaneRig, TC_ACT_SHOT } from './dataplane-rig.js'
import {
  broadcast,
  ethernet,
  icmp,
  ipv4,
  ipv6,
  type Packet,
  payload,
  type Segment,
  tcp,
  udp,
  vlan,
  vxlan,
} from './frames.js'
import { extended, fragment6, icmp6, ndType, routerAdvertisement } from './neighbor-frames.js'
import { expectReasons } from './reasons.js'
import { alice, bob, vni, vtep, vtep6 } from './stations.js'

const { SEGMENT_LEARN_PORTS, SEGMENT_RA_GUARD, SEGMENT_FLOOD_REPLICATE } = SegmentFlag

let rig: DataplaneRig
let port1: number
let port2: number

beforeAll(() => {
  rig = new DataplaneRig()
  for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  port1 = rig.addPort(rig.ports[0], vni)
  port2 = rig.addPort(rig.ports[1], vni)
  segment()
})

function segment(more = 0): void {
  const flags = SEGMENT_LEARN_PORTS | SEGMENT_FLOOD_REPLICATE | more
  rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2], flags })
}

const run = (frame: Uint8Array) => rig.run(rig.portIngress, frame, { ifindex: port1 })
const reason = (packet: Packet, from = alice, to = broadcast) =>
  run(ethernet({ from, to }, packet)).verdicts.map((one) => one.reason)
const passes = ['FORWARD_FLOOD']
const dropped = (packet: Packet, from = alice) => {
  expect(run(ethernet({ from, to: broadcast }, packet)).action).toBe(TC_ACT_SHOT)
  return reason(packet, from)
}

const allNodes = 'ff02::1'
const _linkLocalOfAlice = 'fe80::ff:fe00:a' // EUI-64 of 02:00:00:00:00:0a
const data = udp({ from: 1000, to: 2000 }, new Uint8Array(8))

describe('tenant VXLAN', () => {
  const inner = ethernet({ from: alice, to: bob }, payload(50))
  beforeEach(() => {
    for (const one of [vtep, vtep6]) rig.maps.vteps.set({ vni: 0, vtep: one as Ip }, { flags: 0 })
  })

  const packets: [string, Packet][] = [
    ['IPv4', ipv4({ from: '10.0.0.1', to: vtep }, vxlan(7, inner))],
    ['IPv4 with options', ipv4({ from: '10.0.0.1', to: vtep, options: 3 }, vxlan(7, inner))],
    ['IPv6', ipv6({ from: 'fd00::1', to: vtep6 }, vxlan(7, inner))],
    ['IPv6 with extensions', ipv6({ from: 'fd00::1', to: vtep6 }, extended(60, vxlan(7, inner), 2))],
    ['a first fragment', ipv6({ from: 'fd00::1', to: vtep6 }, fragment6(vxlan(7, inner), 0, true))],
    [
      'more extensions than are read',
      ipv6(
        { from: 'fd00::1', to: vtep6 },
        Array.from({ length: 9 }).reduce((segment: Segment) => extended(60, segment), vxlan(7, inner)),
      ),
    ],
  ]
  test.each(packets)('to a VTEP is dropped in %s, tagged or not', (_, packet) => {
    expect(dropped(packet)).toEqual(['DROP_TENANT_VXLAN'])
    expect(dropped(vlan(5, packet))).toEqual(['DROP_TENANT_VXLAN'])
    const seen = rig.observe(() => rig.ports[0].send(ethernet({ from: alice, to: bob }, vlan(5, packet))))
    expect(seen.verdicts).toMatchObject([{ reason: 'DROP_TENANT_VXLAN' }])
  })

  test('passes to anybody else, and so does other UDP to a VTEP', () => {
    expect(reason(ipv4({ from: '10.0.0.1', to: '198.51.100.77' }, vxlan(7, inner)))).toEqual(passes)
    expect(reason(ipv4({ from: '10.0.0.1', to: vtep }, data))).toEqual(passes)
    expect(reason(ipv4({ from: '10.0.0.1', to: vtep }, tcp({ from: 1, to: 4789 })))).toEqual(passes)
    expect(reason(ipv4({ from: '10.0.0.1', to: vtep }, icmp({ id: 1, seq: 1 })))).toEqual(passes)
  })

  test('is known by the port that this node uses', () => {
    rig.maps.config.set({ zero: 0 }, { ...rig.maps.config.get({ zero: 0 })!, udpPort: 8472 })
    expect(reason(ipv4({ from: '10.0.0.1', to: vtep }, vxlan(7, inner)))).toEqual(passes)
    const other = ipv4({ from: '10.0.0.1', to: vtep }, udp({ from: 1, to: 8472 }, inner))
    expect(dropped(other)).toEqual(['DROP_TENANT_VXLAN'])
  })
})

describe('RA guard', () => {
  const ra = routerAdvertisement()
  const from = (segment: Segment) => ipv6({ from: 'fe80::1', to: allNodes, hopLimit: 255 }, segment)
  beforeEach(() => segment(SEGMENT_RA_GUARD))

  test.each([
    ['plain', from(ra)],
    ['tagged', vlan(5, from(ra))],
    ['behind extensions', from(extended(0, extended(43, extended(60, ra, 3))))],
    ['in a first fragment', from(fragment6(ra, 0, true))],
    ['in a fragment that is the only one', from(fragment6(ra, 0, false))],
    [
      'in fragments that part the headers',
      from(fragment6(extended(60, ra), 0, true, new Uint8Array([58, 0, 1, 4, 0, 0, 0, 0]))),
    ],
    [
      'behind more extensions than are read',
      from(Array.from({ length: 9 }).reduce((s: Segment) => extended(60, s), ra)),
    ],
    ['behind three tags', vlan(1, vlan(2, vlan(3, from(ra))))],
  ])('drops an advertisement %s', (_, packet) => {
    expect(dropped(packet)).toEqual(['DROP_RA_GUARD'])
  })

  test('lets a router advertise, and everybody solicit', () => {
    expect(reason(from(icmp6(ndType.routerSolicitation, new Uint8Array(4))))).toEqual(passes)
    expect(reason(from(fragment6(data, 1480, false)))).toEqual(passes)
    rig.addPort(rig.ports[0], vni, 1450, { flags: PortFlag.PORT_ROUTER })
    expect(reason(from(ra))).toEqual(passes)
  })

  test('is off unless the segment says so', () => {
    segment()
    expect(reason(from(ra))).toEqual(passes)
  })
})

test('the reasons that the list promises were caused here', () => expectReasons(rig, 'port-guard'))

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import type { Mac } from '../../src/model/mac.js'
import { NeighborFlag, PortFlag, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { DataplaneRig, readUntil } from './dataplane-rig.js'
import { broadcast, ethernet, ipv4, ipv6, mac, vlan, vxlan } from './frames.js'
import {
  advertisement,
  arpOperation,
  arpPacket,
  asksAll,
  linkOption,
  ndFlag,
  routerAdvertisement,
} from './neighbor-frames.js'
import { alice, bob, remote, vni, vtep } from './stations.js'

const { SEGMENT_FLOOD_REPLICATE, SEGMENT_LEARN_PORTS, SEGMENT_LEARN_TUNNELS, SEGMENT_SUPPRESS } = SegmentFlag
const { NEIGHBOR_ROUTER } = NeighborFlag
const suppress = SEGMENT_FLOOD_REPLICATE | SEGMENT_LEARN_PORTS | SEGMENT_SUPPRESS

let rig: DataplaneRig
let port1: number
let port2: number

beforeAll(() => {
  rig = new DataplaneRig()
  for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  port1 = rig.addPort(rig.ports[0], vni)
  port2 = rig.addPort(rig.ports[1], vni)
  segment(suppress)
})

const segment = (flags: number, ageingS = 300) =>
  rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2], flags, ageingS })

const allNodes = mac('33:33:00:00:00:01')
const arp = (from: Mac, fromIp: string, toIp = fromIp, operation: number = arpOperation.request) =>
  ethernet({ from, to: broadcast }, arpPacket({ operation, from, fromIp, toIp }))
const na = (from: Mac, target: string, flags: number = ndFlag.override, options = [linkOption(2, from)]) =>
  ethernet(
    { from, to: allNodes },
    ipv6({ from: target, to: 'ff02::1', hopLimit: 255 }, advertisement({ target, flags, options })),
  )
const ra = (from: Mac, fromIp: string) =>
  ethernet(
    { from, to: allNodes },
    ipv6({ from: fromIp, to: 'ff02::1', hopLimit: 255 }, routerAdvertisement(linkOption(1, from))),
  )

const changed = (frame: Uint8Array, at: number) => frame.with(at, frame[at]! ^ 1)

const known = (ip: string) => {
  const entry = rig.maps.snooped.get({ vni, ip: ip as Ip })
  return entry && { mac: entry.mac, flags: entry.flags, ifindex: entry.ifindex }
}
const told = () => rig.takeBindings()
const fromPort = (frame: Uint8Array, port = 0) => rig.ports[port]!.send(frame)

describe('a binding is taken in and told', () => {
  test.each([
    ['an ARP request', arp(alice, '10.0.0.1', '10.0.0.9'), '10.0.0.1', 0],
    ['an ARP reply', arp(alice, '10.0.0.1', '10.0.0.9', arpOperation.reply), '10.0.0.1', 0],
    ['gratuitous ARP', arp(alice, '10.0.0.1'), '10.0.0.1', 0],
    ['an advertisement', na(alice, 'fd00::1'), 'fd00::1', 0],
    [
      'an advertisement of a router',
      na(alice, 'fd00::1', ndFlag.override | ndFlag.router),
      'fd00::1',
      NEIGHBOR_ROUTER,
    ],
    ['a router advertisement', ra(alice, 'fe80::1'), 'fe80::1', NEIGHBOR_ROUTER],
  ])('from %s', (_, frame, ip, flags) => {
    fromPort(frame)
    expect(known(ip)).toEqual({ mac: alice, flags, ifindex: port1 })
    expect(told()).toEqual([
      { kind: 3, vni, mac: alice, flags, ifindex: port1, ip, atNs: expect.any(Number) },
    ])

    fromPort(frame)
    expect(told()).toEqual([])
  })

  test.each([
    ['a probe', arp(alice, '0.0.0.0', '10.0.0.1')],
    [
      'another MAC than that of the frame',
      ethernet(
        { from: alice, to: broadcast },
        arpPacket({ from: bob, fromIp: '10.0.0.1', toIp: '10.0.0.1' }),
      ),
    ],
    ['a group address', arp(alice, '224.0.0.1')],
    [
      'a tagged frame',
      ethernet(
        { from: alice, to: broadcast },
        vlan(5, arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.1' })),
      ),
    ],
    [
      'a solicitation alone, which does not tell routers from others',
      asksAll({ from: alice, fromIp: 'fd00::1', target: 'fd00::2' }),
    ],
    ['an advertisement without a MAC', na(alice, 'fd00::1', ndFlag.override, [])],
    ['an advertisement with a wrong checksum', changed(na(alice, 'fd00::1'), 56)],
    ['an advertisement of mapped IPv4', na(alice, '::ffff:10.0.0.1')],
    ['a solicited advertisement to all', na(alice, 'fd00::1', ndFlag.override | ndFlag.solicited)],
    ['a router advertisement of no link-local address', ra(alice, 'fd00::1')],
  ])('but not from %s', (_, frame) => {
    fromPort(frame)
    expect(rig.maps.snooped.entries()).toEqual([])
    expect(told()).toEqual([])
  })

  test('but not from a spoofer', () => {
    rig.addPort(rig.ports[0], vni, 1450, { flags: PortFlag.PORT_FILTER_IP })
    fromPort(arp(alice, '10.0.0.1'))
    expect(rig.maps.snooped.entries()).toEqual([])
  })

  test('and answered for, until it is too old', () => {
    fromPort(arp(bob, '10.0.0.2'), 1)
    const ask = () => rig.observe(() => fromPort(arp(alice, '10.0.0.1', '10.0.0.2'))).verdicts
    expect(ask()).toMatchObject([{ reason: 'ANSWER_NEIGHBOR' }])
    const entry = rig.maps.snooped.get({ vni, ip: '10.0.0.2' as Ip })!
    rig.maps.snooped.set({ vni, ip: '10.0.0.2' as Ip }, { ...entry, seenNs: entry.seenNs - 301e9 })
    expect(ask()).toMatchObject([{ reason: 'FORWARD_FLOOD' }])
  })
})

describe('what contradicts', () => {
  test('in ARP or an advertisement that overrides, replaces', () => {
    for (const say of [arp, na] as const) {
      const ip = say === arp ? '10.0.0.1' : 'fd00::1'
      fromPort(say(alice, ip))
      fromPort(say(bob, ip), 1)
      expect(known(ip)).toEqual({ mac: bob, flags: 0, ifindex: port2 })
      expect(told()).toMatchObject([
        { mac: alice, ifindex: port1 },
        { mac: bob, ifindex: port2 },
      ])
    }
  })

  test('in an advertisement that must not override, does not', () => {
    fromPort(na(alice, 'fd00::1'))
    fromPort(na(bob, 'fd00::1', 0), 1)
    expect(known('fd00::1')).toMatchObject({ mac: alice })
  })

  test('in a solicitation does not; that of the same MAC keeps the router flag and follows to another port', () => {
    fromPort(na(alice, 'fd00::1', ndFlag.override | ndFlag.router))
    fromPort(asksAll({ from: bob, fromIp: 'fd00::1', target: 'fd00::2' }), 1)
    expect(known('fd00::1')).toMatchObject({ mac: alice, ifindex: port1 })
    fromPort(asksAll({ from: alice, fromIp: 'fd00::1', target: 'fd00::2' }), 1)
    expect(known('fd00::1')).toEqual({ mac: alice, flags: NEIGHBOR_ROUTER, ifindex: port2 })
  })

  test('what the controller says leaves the question to the stations themselves', () => {
    rig.maps.neighbors.set({ vni, ip: '10.0.0.2' as Ip }, { mac: remote, flags: 0, revision: 1 })
    const ask = () => rig.observe(() => fromPort(arp(alice, '10.0.0.1', '10.0.0.2'))).verdicts
    expect(ask()).toMatchObject([{ reason: 'ANSWER_NEIGHBOR' }])
    fromPort(arp(bob, '10.0.0.2'), 1)
    expect(ask()).toMatchObject([{ reason: 'FORWARD_FLOOD' }])
    rig.maps.neighbors.set({ vni, ip: '10.0.0.2' as Ip }, { mac: bob, flags: 0, revision: 2 })
    expect(ask()).toMatchObject([{ reason: 'ANSWER_NEIGHBOR' }])
  })
})

describe('from a tunnel', () => {
  const arrive = (frame: Uint8Array) => {
    const before = rig.countedPackets()
    const outer = ipv4({ from: vtep, to: '192.0.2.1' }, vxlan(vni, frame))
    rig.underlay.send(ethernet({ from: mac('02:00:00:00:ff:02'), to: mac('02:00:00:00:ff:01') }, outer))
    readUntil(
      () => rig.countedPackets(),
      (packets) => packets > before,
    )
  }

  test('bindings are taken in where the segment learns from tunnels, and told to nobody', () => {
    segment(suppress | SEGMENT_LEARN_TUNNELS)
    arrive(arp(bob, '10.0.0.2'))
    expect(known('10.0.0.2')).toEqual({ mac: bob, flags: 0, ifindex: 0 })
    expect(told()).toEqual([])
  })

  test('elsewhere they are not, but what they contradict is forgotten', () => {
    fromPort(arp(alice, '10.0.0.1'))
    fromPort(arp(alice, '10.0.0.3'))
    arrive(arp(bob, '10.0.0.1'))
    arrive(arp(alice, '10.0.0.3'))
    arrive(arp(bob, '10.0.0.2'))
    expect(known('10.0.0.1')).toBeUndefined()
    expect(known('10.0.0.3')).toMatchObject({ mac: alice })
    expect(known('10.0.0.2')).toBeUndefined()
  })
})

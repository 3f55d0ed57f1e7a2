import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import type { Mac } from '../../src/model/mac.js'
import { AllowedFlag, PortFlag, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { DataplaneRig, TC_ACT_SHOT } from './dataplane-rig.js'
import { broadcast, ethernet, ipv4, ipv6, type Packet, payload, type Segment, udp, vlan } from './frames.js'
import {
  advertisement,
  arpOperation,
  arpPacket,
  extended,
  fragment6,
  icmp6,
  linkOption,
  ndType,
  routerAdvertisement,
  solicitation,
} from './neighbor-frames.js'
import { expectReasons } from './reasons.js'
import { alice, bob, vni, vtep } from './stations.js'

const { PORT_FILTER_IP, PORT_FILTER_MAC, PORT_ROUTER } = PortFlag
const { SEGMENT_LEARN_PORTS, SEGMENT_FLOOD_REPLICATE } = SegmentFlag

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
  const flags = SEGMENT_LEARN_PORTS | SEGMENT_FLOOD_REPLICATE
  rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2], flags })
})

function filter(flags: number, allowed: { macs?: readonly Mac[]; addresses?: readonly string[] } = {}): void {
  rig.addPort(rig.ports[0], vni, 1450, { flags })
  for (const one of allowed.macs ?? []) rig.maps.allowedMacs.set({ ifindex: port1, mac: one }, { flags: 0 })
  for (const text of allowed.addresses ?? []) {
    const [ip, length] = text.split('/') as [string, string]
    const prefixLength = 32 + Number(length) + (ip.includes(':') ? 0 : 96)
    rig.maps.allowedIps.set({ prefixLength, ifindex: port1, ip: ip as Ip }, { flags: 0 })
  }
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
const linkLocalOfAlice = 'fe80::ff:fe00:a' // EUI-64 of 02:00:00:00:00:0a
const data = udp({ from: 1000, to: 2000 }, new Uint8Array(8))

test('all of IPv6 is not IPv4 too, though IPv4 is kept mapped', () => {
  filter(PORT_FILTER_IP, { addresses: ['::/0', '10.0.0.1/32'] })
  const ip = '0.0.0.0' as Ip
  rig.maps.allowedIps.set({ prefixLength: 128, ifindex: port1, ip }, { flags: AllowedFlag.ALLOWED_NOT })
  const from4 = (from: string) => reason(ipv4({ from, to: '10.0.0.9' }, data))
  expect(reason(ipv6({ from: 'fd00::77', to: 'fd00::9' }, data))).toEqual(passes)
  expect(from4('10.0.0.1')).toEqual(passes)
  expect(from4('10.0.0.2')).toEqual(['DROP_SPOOFED_IP'])
})

describe('allowed MACs', () => {
  beforeEach(() => filter(PORT_FILTER_MAC, { macs: [alice] }))

  test('may speak, others not, and those are not learned', () => {
    expect(reason(payload(50))).toEqual(passes)
    expect(dropped(payload(50), bob)).toEqual(['DROP_SPOOFED_MAC'])
    expect(rig.maps.learned.entries().map(([key]) => key.mac)).toEqual([alice])
  })

  test("are each port's own", () => {
    const { verdicts } = rig.run(rig.portIngress, ethernet({ from: bob, to: broadcast }, payload(50)), {
      ifindex: port2,
    })
    expect(verdicts).toMatchObject([{ reason: 'FORWARD_FLOOD' }])
  })

  test.each([
    ['ARP', (from: Mac) => arpPacket({ from, fromIp: '10.0.0.1', toIp: '10.0.0.2' })],
    ['ARP behind a tag', (from: Mac) => vlan(5, arpPacket({ from, fromIp: '10.0.0.1', toIp: '10.0.0.2' }))],
    [
      'RARP',
      (from: Mac) => arpPacket({ from, fromIp: '0.0.0.0', toIp: '0.0.0.0', etherType: 0x8035, operation: 3 }),
    ],
    [
      'a solicitation',
      (from: Mac) =>
        ipv6(
          { from: 'fe80::1', to: allNodes, hopLimit: 255 },
          solicitation({ target: 'fe80::2', options: [linkOption(1, from)] }),
        ),
    ],
    [
      'an advertisement',
      (from: Mac) =>
        ipv6(
          { from: 'fe80::1', to: allNodes, hopLimit: 255 },
          advertisement({ target: 'fe80::1', options: [linkOption(2, from)] }),
        ),
    ],
    [
      'a router advertisement',
      (from: Mac) =>
        ipv6({ from: 'fe80::1', to: allNodes, hopLimit: 255 }, routerAdvertisement(linkOption(1, from))),
    ],
  ])('are the only ones that %s may name', (_, packet) => {
    expect(reason(packet(alice))).toEqual(passes)
    expect(dropped(packet(bob))).toEqual(['DROP_SPOOFED_MAC'])
  })

  test('bind the second of two options of a kind, and options behind others', () => {
    const nd = (...options: Uint8Array[]) =>
      ipv6({ from: 'fe80::1', to: allNodes, hopLimit: 255 }, advertisement({ target: 'fe80::1', options }))
    const other = Uint8Array.of(14, 1, 0, 0, 0, 0, 0, 0)
    expect(reason(nd(other, linkOption(2, alice)))).toEqual(passes)
    expect(dropped(nd(other, linkOption(2, bob)))).toEqual(['DROP_SPOOFED_MAC'])
    expect(dropped(nd(linkOption(2, alice), linkOption(2, bob)))).toEqual(['DROP_SPOOFED_MAC'])
    expect(dropped(nd(...Array.from({ length: 20 }, () => other)))).toEqual(['DROP_SPOOFED_MAC'])
    expect(dropped(nd(Uint8Array.of(14, 0, 0, 0, 0, 0, 0, 0)))).toEqual(['DROP_SPOOFED_MAC'])
  })

  test('let a redirect name another target only to a router', () => {
    const redirect = ipv6(
      { from: 'fe80::1', to: 'fe80::2', hopLimit: 255 },
      icmp6(ndType.redirect, Uint8Array.of(...new Uint8Array(36), ...linkOption(2, bob))),
    )
    expect(dropped(redirect)).toEqual(['DROP_SPOOFED_MAC'])
    filter(PORT_FILTER_MAC | PORT_ROUTER)
    expect(reason(redirect)).toEqual(passes)
  })
})

describe('allowed addresses', () => {
  beforeEach(() => filter(PORT_FILTER_IP, { addresses: ['10.0.0.1/32', '10.9.0.0/16', 'fd00:1::/64'] }))

  const claims: [string, (ip: string) => Packet][] = [
    ['IPv4', (ip) => ipv4({ from: ip, to: '10.0.0.9' }, data)],
    ['IPv4 with options', (ip) => ipv4({ from: ip, to: '10.0.0.9', options: 2 }, data)],
    ['IPv4 behind a tag', (ip) => vlan(5, ipv4({ from: ip, to: '10.0.0.9' }, data))],
    ['IPv4 behind two tags', (ip) => vlan(5, vlan(6, ipv4({ from: ip, to: '10.0.0.9' }, data)), 0x88a8)],
    ['an ARP request', (ip) => arpPacket({ from: alice, fromIp: ip, toIp: '10.0.0.9' })],
    [
      'an ARP reply',
      (ip) => arpPacket({ operation: arpOperation.reply, from: alice, fromIp: ip, toIp: '10.0.0.9' }),
    ],
    ['the target of an ARP probe', (ip) => arpPacket({ from: alice, fromIp: '0.0.0.0', toIp: ip })],
  ]
  test.each(claims)('are the only ones in %s', (_, packet) => {
    expect(reason(packet('10.0.0.1'))).toEqual(passes)
    expect(reason(packet('10.9.77.1'))).toEqual(passes)
    expect(dropped(packet('10.0.0.2'))).toEqual(['DROP_SPOOFED_IP'])
  })

  const claims6: [string, (ip: string) => Packet][] = [
    ['IPv6', (ip) => ipv6({ from: ip, to: 'fd00:1::9' }, data)],
    ['IPv6 with extensions', (ip) => ipv6({ from: ip, to: 'fd00:1::9' }, extended(0, extended(60, data)))],
    ['a later fragment', (ip) => ipv6({ from: ip, to: 'fd00:1::9' }, fragment6(data, 1480, false))],
    [
      'a solicitation',
      (ip) => ipv6({ from: ip, to: allNodes, hopLimit: 255 }, solicitation({ target: 'fd00::9' })),
    ],
    [
      'the target of an advertisement',
      (ip) => ipv6({ from: 'fd00:1::1', to: allNodes, hopLimit: 255 }, advertisement({ target: ip })),
    ],
    [
      'the target of a solicitation from nobody',
      (ip) => ipv6({ from: '::', to: 'ff02::1:ff00:1', hopLimit: 255 }, solicitation({ target: ip })),
    ],
  ]
  test.each(claims6)('are the only ones in %s', (_, packet) => {
    expect(reason(packet('fd00:1::5'))).toEqual(passes)
    expect(dropped(packet('fd00:2::5'))).toEqual(['DROP_SPOOFED_IP'])
  })

  test('are not needed to ask for a lease, for a router or for groups', () => {
    const ask = udp({ from: 68, to: 67 }, new Uint8Array(240))
    expect(reason(ipv4({ from: '0.0.0.0', to: '255.255.255.255' }, ask))).toEqual(passes)
    expect(dropped(ipv4({ from: '0.0.0.0', to: '255.255.255.255' }, data))).toEqual(['DROP_SPOOFED_IP'])
    expect(dropped(ipv4({ from: '0.0.0.0', to: '10.0.0.9' }, ask))).toEqual(['DROP_SPOOFED_IP'])

    const fromNobody = (type: number, to = 'ff02::16') =>
      ipv6({ from: '::', to, hopLimit: 255 }, icmp6(type, new Uint8Array(4)))
    expect(reason(fromNobody(ndType.routerSolicitation, 'ff02::2'))).toEqual(passes)
    expect(reason(ipv6({ from: '::', to: 'ff02::16' }, extended(0, icmp6(143, new Uint8Array(24)))))).toEqual(
      passes,
    )
    expect(dropped(fromNobody(143, 'fd00::1'))).toEqual(['DROP_SPOOFED_IP'])
    expect(dropped(fromNobody(128))).toEqual(['DROP_SPOOFED_IP'])
  })

  test('do not concern frames that have none', () => {
    expect(reason(payload(50))).toEqual(passes)
    const rarp = arpPacket({ from: alice, fromIp: '0.0.0.0', toIp: '10.0.0.77', etherType: 0x8035 })
    expect(reason(rarp)).toEqual(passes)
  })

  test.each([
    ['three tags', vlan(1, vlan(2, vlan(3, ipv4({ from: '10.0.0.1', to: '10.0.0.9' }, data))))],
    ['ARP of another network', arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.9', hardware: 6 })],
    [
      'ND in fragments',
      ipv6(
        { from: 'fd00:1::1', to: allNodes, hopLimit: 255 },
        fragment6(advertisement({ target: 'fd00:1::1' }), 0, true),
      ),
    ],
    [
      'more extensions than are read',
      ipv6(
        { from: 'fd00:1::1', to: 'fd00:1::2' },
        Array.from({ length: 9 }).reduce((inner: Segment) => extended(60, inner), data),
      ),
    ],
  ])('refuse %s, which cannot be read', (_, packet) => {
    expect(dropped(packet)).toEqual(['DROP_SPOOFED_IP'])
  })

  const whole = ethernet(
    { from: alice, to: broadcast },
    ipv6(
      { from: 'fd00:1::1', to: allNodes, hopLimit: 255 },
      extended(0, advertisement({ target: 'fd00:1::1', options: [linkOption(2, alice)] })),
    ),
  )
  test.each(Array.from(whole.keys()).slice(15))(
    'refuse an advertisement that ends after %i bytes',
    (length) => {
      rig.ports[0].send(whole.subarray(0, length))
      expect(rig.verdicts()).toMatchObject([{ reason: 'DROP_SPOOFED_IP', packets: 1 }])
    },
  )
})

describe('link-local addresses', () => {
  const from = (ip: string) => ipv6({ from: ip, to: allNodes }, data)

  test('pass on a port whose MACs nobody lists', () => {
    filter(PORT_FILTER_IP)
    expect(reason(from('fe80::1234'))).toEqual(passes)
    expect(dropped(from('fec0::1'))).toEqual(['DROP_SPOOFED_IP'])
  })

  test('pass on other ports when a listed MAC makes them, or when they are listed', () => {
    filter(PORT_FILTER_IP | PORT_FILTER_MAC, { macs: [alice], addresses: ['fe80::77/128'] })
    expect(reason(from(linkLocalOfAlice))).toEqual(passes)
    expect(reason(from('fe80::77'))).toEqual(passes)
    for (const other of ['fe80::1234', 'fe80::ff:fe00:b', 'fe80::1:0:ff:fe00:a']) {
      expect(dropped(from(other))).toEqual(['DROP_SPOOFED_IP'])
    }
  })
})

test('the reasons that the list promises were caused here', () => expectReasons(rig, 'port-spoof'))

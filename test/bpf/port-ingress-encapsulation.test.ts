import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { plainConfig } from '../../src/node/bpf/values.fixture.js'
import { DataplaneRig } from './dataplane-rig.js'
import { arp, ethernet, ipv6, neighbourSolicitation, type Packet, payload, tcp, vlan } from './frames.js'
import { ip } from './rig-network.js'
import { alice, aliceToBob, bob, ping, vni, vtep, vtep6 } from './stations.js'

let rig: DataplaneRig

beforeAll(() => {
  rig = new DataplaneRig()
  rig.attach(rig.portIngress, rig.ports[0].name)
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  rig.addSegment(vni, { ports: [rig.addPort(rig.ports[0], vni)] })
})

/** What leaves by the underlay when the frame comes in by a port. */
function sent(frame: Uint8Array) {
  rig.ports[0].send(frame)
  return rig.encapsulated()
}

test('encapsulation over IPv4 has DF, our TTL, no UDP checksum, and the frame unchanged', () => {
  rig.addRemote(vni, bob, vtep)
  rig.maps.config.set({ zero: 0 }, { ...plainConfig, vxlanIfindex: rig.vxlanIfindex, ttl: 42 })
  expect(sent(aliceToBob)).toMatchObject([
    { from: '192.0.2.1', to: vtep, ttl: 42, dontFragment: true, udpChecksum: 0, vni, inner: aliceToBob },
  ])
})

test('encapsulation over IPv6 has a right UDP checksum', () => {
  rig.addRemote(vni, bob, vtep6)
  expect(sent(aliceToBob)).toMatchObject([
    { from: '2001:db8::1', to: vtep6, ttl: 64, udpChecksumValid: true, vni, inner: aliceToBob },
  ])
})

test.each([
  ['IPv4', vtep, '192.0.2.77', '192.0.2.77/24'],
  ['IPv6', vtep6, '2001:db8::77', '2001:db8::77/64'],
])(
  'the outer source over %s is the declared VTEP, also when it is not the first address',
  (_, to, from, cidr) => {
    ip(`addr add ${cidr} dev underlay nodad`)
    rig.addRemote(vni, bob, to)
    rig.maps.config.set({ zero: 0 }, { ...plainConfig, vxlanIfindex: rig.vxlanIfindex, vtep: from as Ip })
    expect(sent(aliceToBob)).toMatchObject([{ from, to, inner: aliceToBob }])
  },
)

test('a peer of the other family gets the address that routing chooses', () => {
  rig.addRemote(vni, bob, vtep6)
  rig.maps.config.set(
    { zero: 0 },
    { ...plainConfig, vxlanIfindex: rig.vxlanIfindex, vtep: '192.0.2.1' as Ip },
  )
  expect(sent(aliceToBob)).toMatchObject([{ to: vtep6, inner: aliceToBob }])
})

const kinds: Record<string, Packet> = {
  IPv4: ping,
  IPv6: ipv6({ from: 'fd00::1', to: 'fd00::2' }, tcp({ from: 1, to: 2 }, new Uint8Array(100))),
  'a neighbour solicitation': ipv6(
    { from: 'fd00::1', to: 'fd00::2', hopLimit: 255 },
    neighbourSolicitation({ from: alice, target: 'fd00::2' }),
  ),
  ARP: arp({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' }),
  'an unknown protocol': payload(80),
  'a tagged frame': vlan(10, ping),
  'a frame with two tags': vlan(20, vlan(10, ping), 0x88a8),
}
for (const [name, packet] of Object.entries(kinds)) {
  test(`${name} is carried as it is`, () => {
    rig.addRemote(vni, bob, vtep)
    const frame = ethernet({ from: alice, to: bob }, packet)
    expect(sent(frame)).toMatchObject([{ vni, inner: frame }])
  })
}

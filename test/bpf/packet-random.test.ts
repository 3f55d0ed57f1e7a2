import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { readMac } from '../../src/model/mac.js'
import { PortFlag, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { DataplaneRig } from './dataplane-rig.js'
import { broadcast, ethernet, ipv4, ipv6, mac, tcp, udp, vlan, vxlan } from './frames.js'
import {
  advertisement,
  arpPacket,
  asksAll,
  extended,
  fragment6,
  linkOption,
  routerAdvertisement,
} from './neighbor-frames.js'
import { randomFrom } from './random-frames.js'
import { alice, bob, remote, vni, vtep, vtep6 } from './stations.js'

const seed = Number(process.env['WEFT_TEST_SEED'] ?? 20_260_101)
const { PORT_FILTER_IP, PORT_FILTER_MAC } = PortFlag
const everything =
  SegmentFlag.SEGMENT_LEARN_PORTS | SegmentFlag.SEGMENT_SUPPRESS | SegmentFlag.SEGMENT_RA_GUARD

let rig: DataplaneRig
let port1: number
beforeAll(() => {
  rig = new DataplaneRig()
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  port1 = rig.addPort(rig.ports[0], vni)
  rig.addSegment(vni, { ports: [port1], flags: everything })
  rig.addRemote(vni, remote, vtep)
  for (const ip of ['10.0.0.2', 'fd00::2'])
    rig.maps.neighbors.set({ vni, ip: ip as Ip }, { mac: remote, flags: 0, revision: 0 })
  for (const one of [vtep, vtep6]) rig.maps.vteps.set({ vni: 0, vtep: one as Ip }, { flags: 0 })
})

const data = udp({ from: 1, to: 2 }, new Uint8Array(40))
const nd = { from: 'fd00::1', to: 'ff02::1', hopLimit: 255 }
const real = [
  ethernet({ from: alice, to: broadcast }, arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' })),
  asksAll({ from: alice, fromIp: 'fd00::1', target: 'fd00::2' }),
  ethernet(
    { from: alice, to: mac('33:33:00:00:00:01') },
    ipv6(nd, advertisement({ target: 'fd00::1', options: [linkOption(2, alice)] })),
  ),
  ethernet(
    { from: alice, to: broadcast },
    ipv6({ ...nd, from: 'fe80::1' }, extended(0, routerAdvertisement())),
  ),
  ethernet(
    { from: alice, to: remote },
    ipv6({ from: 'fd00::1', to: vtep6 }, fragment6(vxlan(7, inner()), 0, true)),
  ),
  ethernet({ from: alice, to: remote }, vlan(5, ipv4({ from: '10.0.0.1', to: vtep }, vxlan(7, inner())))),
  ethernet(
    { from: alice, to: remote },
    ipv4({ from: '10.0.0.1', to: '10.0.0.2', options: 4 }, tcp({ from: 1, to: 2 }, new Uint8Array(1500))),
  ),
  ethernet(
    { from: alice, to: remote },
    ipv6({ from: 'fd00::1', to: 'fd00::2' }, extended(60, udp({ from: 1, to: 2 }, new Uint8Array(1500)))),
  ),
]

// Real frames with a few bytes changed come much further than noise does.
test.each([
  ['no filters', 0],
  ['both filters', PORT_FILTER_MAC | PORT_FILTER_IP],
])(`30,000 damaged frames are each counted once, with %s (seed ${seed})`, (_, flags) => {
  const random = randomFrom(seed)
  rig.addPort(rig.ports[0], vni, 1450, { flags })
  rig.maps.allowedMacs.set({ ifindex: port1, mac: alice }, { flags: 0 })
  for (const ip of ['10.0.0.1', 'fd00::1'] as Ip[])
    rig.maps.allowedIps.set({ prefixLength: 160, ifindex: port1, ip }, { flags: 0 })

  const frames = 30_000
  for (let i = 0; i < frames; i++) {
    const frame = Uint8Array.from(random.pick(real))
    for (let n = random.below(4); n > 0; n--)
      frame[12 + (random.below(90) % (frame.length - 12))] = random.below(256)
    const { verdict, frame: after } = testRun(rig.portIngress, frame, { ctx: { ifindex: port1 } })
    expect([2, 7]).toContain(verdict)
    // Whatever goes back goes to whom the frame came from.
    if (verdict === 7 && readMac(after, 0) !== remote) expect(readMac(after, 0)).toBe(readMac(frame, 6))
    if (i % 200 === 0) drain()
  }
  const reasons = rig.verdicts().map(({ reason }) => reason)
  expect(rig.countedPackets()).toBe(frames)
  for (const one of [
    'ANSWER_NEIGHBOR',
    'DROP_TOO_BIG',
    'DROP_OVER_MTU',
    'DROP_TENANT_VXLAN',
    'DROP_RA_GUARD',
  ]) {
    expect(reasons).toContain(one)
  }
})

function drain(): void {
  for (const tap of [...rig.ports, rig.underlay]) tap.received()
  rig.takeEvents()
}

function inner(): Uint8Array {
  return ethernet({ from: bob, to: alice }, ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, data))
}

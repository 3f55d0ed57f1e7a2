import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { testRun } from '../../src/node/bpf/test-run.js'
import { DataplaneRig, readUntil } from './dataplane-rig.js'
import { broadcast, ethernet, ipv4, ipv6, mac, vxlan } from './frames.js'
import { randomFrame, randomFrom } from './random-frames.js'
import { routerMac, underlayMac } from './rig-network.js'
import { alice, bob, vni, vtep, vtep6 } from './stations.js'

const seed = Number(process.env['WEFT_TEST_SEED'] ?? 20_260_101)
const stations = [alice, bob, broadcast, mac('01:80:c2:00:00:00'), mac('00:00:00:00:00:00')]

let rig: DataplaneRig
beforeAll(() => {
  rig = new DataplaneRig()
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  const port1 = rig.addPort(rig.ports[0], vni)
  rig.addSegment(vni, { vteps: [vtep, vtep6], ports: [port1, rig.addPort(rig.ports[2], vni)] })
  rig.addLearned(vni, alice, port1)
})

const random = randomFrom(seed)

/** A frame of noise in a tunnel of any VNI from anybody. */
function encapsulated(inner: Uint8Array): Uint8Array {
  const datagram = vxlan(random.pick([vni, vni, vni, 7]), inner)
  const packet = random.below(2)
    ? ipv4({ from: random.pick([vtep, '198.51.100.66']), to: '192.0.2.1' }, datagram)
    : ipv6({ from: random.pick([vtep6, '2001:db8:1::66']), to: '2001:db8::1' }, datagram)
  return ethernet({ from: mac(routerMac), to: mac(underlayMac) }, packet)
}

test(`10,000 frames of noise out of tunnels are each counted once (seed ${seed})`, () => {
  const frames = 10_000
  for (let i = 0; i < frames; i++) {
    rig.underlay.send(encapsulated(randomFrame(random, stations, 1400)))
    if (i % 100 === 0) drain()
  }
  expect(
    readUntil(
      () => rig.countedPackets(),
      (packets) => packets >= frames,
    ),
  ).toBe(frames)
  expect(rig.verdicts().length).toBeGreaterThan(5)
})

test(`10,000 damaged underlay packets are counted once or refused by the kernel (seed ${seed})`, () => {
  const frames = 10_000
  for (let i = 0; i < frames; i++) {
    const frame = encapsulated(randomFrame(random, stations, 200))
    for (let flips = random.below(4); flips >= 0; flips--) frame[14 + random.below(60)] = random.below(256)
    rig.underlay.send(frame.subarray(0, 14 + random.below(frame.length - 13)))
    if (i % 100 === 0) drain()
  }
  expect(rig.countedPackets()).toBeLessThanOrEqual(frames)
})

test(`20,000 frames of noise without a tunnel key are all dropped (seed ${seed})`, () => {
  const frames = 20_000
  for (let i = 0; i < frames; i++) {
    expect(testRun(rig.tunnelIngress, randomFrame(random, stations)).verdict).toBe(2)
  }
  expect(rig.verdicts()).toMatchObject([{ vni: 0, reason: 'DROP_TUNNEL_KEY', packets: frames }])
})

function drain(): void {
  for (const tap of rig.ports) tap.received()
  expect(rig.encapsulated()).toEqual([])
}

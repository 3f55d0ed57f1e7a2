import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { type Codec, readU32, writeU32 } from '../../src/node/bpf/codec.js'
import { BpfObject } from '../../src/node/bpf/object.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { DataplaneRig, readUntil, TC_ACT_REDIRECT, TC_ACT_SHOT } from './dataplane-rig.js'
import { makeFixture } from './ffi-fixture.js'
import { broadcast, ethernet, ipv4, ipv6, mac, vxlan } from './frames.js'
import { oddPackets } from './odd-packets.js'
import { damagedFrame, fuzzFrames, randomFrame, randomFrom } from './random-frames.js'
import { routerMac, underlayMac } from './rig-network.js'
import { alice, bob, remote, vni, vtep, vtep6 } from './stations.js'

const seed = Number(process.env['WEFT_TEST_SEED'] ?? 20_260_101)
const stations = [alice, bob, broadcast, mac('01:80:c2:00:00:00'), mac('00:00:00:00:00:00')]
const models = Object.values(oddPackets).map((packet) => ethernet({ from: remote, to: broadcast }, packet))
const index: Codec<number> = {
  size: 4,
  encode: (value, out, at = 0) => writeU32(out, at, value),
  decode: (bytes, at = 0) => readU32(bytes, at),
}
/** A program array; of fixtures/keyed.bpf.c, as the meaning of marks is. */
const underTest = { key: index, value: index, type: 3, maxEntries: 1, perCpu: false } as const
const IPV6 = 1 << 24

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

test(`${fuzzFrames} damaged frames out of tunnels of all kinds are each counted once, and go to ports alone (seed ${seed})`, {
  timeout: 600_000,
}, () => {
  const fixture = makeFixture()
  onTestFinished(() => fixture.remove())
  using keyed = BpfObject.open(fixture.compile('keyed'), { pinRoot: rig.bpffs })
  keyed.load()
  using under = keyed.map('under_test', underTest)
  under.set(0, rig.tunnelIngress.fd)
  const program = keyed.program('keyed')
  const flags = Object.values(SegmentFlag).reduce((all, flag) => all | flag, 0)
  const ports = rig.ports.map((tap) => rig.addPort(tap, vni))
  rig.addSegment(vni, { vteps: [vtep, vtep6], ports, flags })

  const [known, known6, stranger] = [2 << 16, (2 << 16) | IPV6, 66 << 16]
  const marks = [known | vni, known | vni, known6 | vni, known6 | vni, stranger | vni, known | 7, 0]
  let bytes = 0
  let copies = 0
  for (let i = 0; i < fuzzFrames; i++) {
    const frame = damagedFrame(random, stations, models, 3000)
    bytes += frame.length
    const ctx = { ifindex: rig.vxlanIfindex, mark: random.pick(marks) }
    const { verdict } = testRun(program, frame, { ctx })
    if (verdict !== TC_ACT_SHOT && verdict !== TC_ACT_REDIRECT) expect(verdict).toBe(TC_ACT_SHOT)
    if (i % 200 === 0) drainCopies()
  }
  drainCopies()
  const counted = rig.verdicts()
  const flooded = counted.find(({ reason }) => reason === 'FORWARD_FLOOD')!.packets
  expect(rig.countedPackets()).toBe(fuzzFrames)
  expect(counted.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes)
  expect(copies).toBe(3 * flooded)
  expect(rig.encapsulated()).toEqual([])
  expect(counted.map(({ reason }) => reason)).toEqual(
    expect.arrayContaining(['DROP_TUNNEL_KEY', 'DROP_UNKNOWN_VNI', 'DROP_UNKNOWN_VTEP', 'FORWARD_LOCAL']),
  )

  function drainCopies(): void {
    for (const tap of rig.ports) copies += tap.received().length
    rig.takeEvents()
  }
})

function drain(): void {
  for (const tap of rig.ports) tap.received()
  expect(rig.encapsulated()).toEqual([])
}

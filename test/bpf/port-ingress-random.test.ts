import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { testRun } from '../../src/node/bpf/test-run.js'
import { DataplaneRig } from './dataplane-rig.js'
import { broadcast, mac } from './frames.js'
import { randomFrame, randomFrom } from './random-frames.js'
import { alice, bob, remote, vni, vtep, vtep6 } from './stations.js'

const seed = Number(process.env['WEFT_TEST_SEED'] ?? 20_260_101)
const stations = [alice, bob, remote, broadcast, mac('01:80:c2:00:00:00'), mac('00:00:00:00:00:00')]

let rig: DataplaneRig
beforeAll(() => {
  rig = new DataplaneRig()
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => rig.reset())

test(`30,000 frames of noise are each counted once, with their bytes (seed ${seed})`, () => {
  const random = randomFrom(seed)
  const port1 = rig.addPort(rig.ports[0], vni)
  const port2 = rig.addPort(rig.ports[1], vni)
  rig.addSegment(vni, { vteps: [vtep, vtep6], ports: [port1, port2] })
  rig.addLearned(vni, bob, port2)
  rig.addRemote(vni, remote, vtep)

  let bytes = 0
  const frames = 30_000
  for (let i = 0; i < frames; i++) {
    const frame = randomFrame(random, stations, 1600)
    bytes += frame.length
    const { verdict } = testRun(rig.portIngress, frame, { ctx: { ifindex: random.pick([1, port1, port2]) } })
    expect([2, 7]).toContain(verdict)
    if (i % 200 === 0) drain()
  }
  const counted = rig.verdicts()
  expect(rig.countedPackets()).toBe(frames)
  expect(counted.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes)
  expect(counted.length).toBeGreaterThan(7)
})

// Nobody else is in the segment: a copy of a frame with an impossible GSO size
// would be the kernel's problem, not this program's.
test(`20,000 frames of noise that claim to be GSO are counted by their segments (seed ${seed})`, () => {
  const random = randomFrom(seed)
  const port1 = rig.addPort(rig.ports[0], vni)
  rig.addSegment(vni, { ports: [port1] })
  rig.addRemote(vni, remote, vtep)

  let segments = 0
  for (let i = 0; i < 20_000; i++) {
    const frame = randomFrame(random, stations, 3000)
    const gsoSegs = 1 + random.below(60_000)
    const gsoSize = random.pick([1, 536, 1400, 0xffff, 1 + random.below(0xffff)])
    segments += gsoSegs
    const { verdict } = testRun(rig.portIngress, frame, { ctx: { ifindex: port1, gsoSegs, gsoSize } })
    expect([2, 7]).toContain(verdict)
  }
  expect(rig.countedPackets()).toBe(segments)
})

function drain(): void {
  for (const tap of [...rig.ports, rig.underlay]) tap.received()
  rig.takeEvents()
}

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { LossKind, PortFlag, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { DataplaneRig, TC_ACT_REDIRECT, TC_ACT_SHOT } from './dataplane-rig.js'
import { broadcast, ethernet, mac, readVxlan } from './frames.js'
import { oddPackets } from './odd-packets.js'
import { damagedFrame, fuzzFrames, randomFrame, randomFrom } from './random-frames.js'
import { alice, bob, remote, vni, vtep } from './stations.js'

const seed = Number(process.env['WEFT_TEST_SEED'] ?? 20_260_101)
const stations = [alice, bob, remote, broadcast, mac('01:80:c2:00:00:00'), mac('00:00:00:00:00:00')]
const models = Object.values(oddPackets).map((packet) => ethernet({ from: alice, to: broadcast }, packet))

let rig: DataplaneRig
beforeAll(() => {
  rig = new DataplaneRig()
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => rig.reset())

test(`${fuzzFrames} damaged frames are each counted once, and copied to whom they were flooded (seed ${seed})`, {
  timeout: 600_000,
}, () => {
  const random = randomFrom(seed)
  const ports = [
    rig.addPort(rig.ports[0], vni),
    rig.addPort(rig.ports[1], vni, 1450, { flags: PortFlag.PORT_FILTER_MAC | PortFlag.PORT_FILTER_IP }),
    rig.addPort(rig.ports[2], vni, 1450, { macLimit: 1000, bumCostNs: 10_000, bumBurstNs: 1_000_000 }),
  ]
  rig.maps.allowedMacs.set({ ifindex: ports[1]!, mac: bob }, { flags: 0 })
  rig.maps.allowedIps.set({ prefixLength: 160, ifindex: ports[1]!, ip: '10.0.0.2' as Ip }, { flags: 0 })
  const flags =
    Object.values(SegmentFlag).reduce((all, flag) => all | flag, 0) & ~SegmentFlag.SEGMENT_FLOOD_GROUP
  rig.addSegment(vni, { vteps: [vtep], ports, flags })
  rig.addLearned(vni, bob, ports[1]!)
  rig.addRemote(vni, remote, vtep)

  let bytes = 0
  let copies = 0
  let encapsulated = 0
  for (let i = 0; i < fuzzFrames; i++) {
    const frame = damagedFrame(random, stations, models, 1600)
    bytes += frame.length
    const { verdict } = testRun(rig.portIngress, frame, { ctx: { ifindex: random.pick([1, ...ports]) } })
    if (verdict !== TC_ACT_SHOT && verdict !== TC_ACT_REDIRECT) expect(verdict).toBe(TC_ACT_SHOT)
    if (i % 200 === 0) drain()
  }
  drain()
  const counted = rig.verdicts()
  const flooded = counted.find(({ reason }) => reason === 'FORWARD_FLOOD')!.packets
  expect(rig.countedPackets()).toBe(fuzzFrames)
  expect(counted.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes)
  expect({ copies, encapsulated }).toEqual({ copies: 2 * flooded, encapsulated: flooded })
  expect(counted.length).toBeGreaterThan(10)
  expect(rig.losses(LossKind.LOSS_COPY)).toBe(0)

  function drain(): void {
    for (const tap of rig.ports) copies += tap.received().length
    encapsulated += rig.underlay.received().filter((frame) => readVxlan(frame)).length
    rig.takeEvents()
  }
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

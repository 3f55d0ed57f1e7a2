import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Mac } from '../../src/model/mac.js'
import { LossKind } from '../../src/node/bpf/abi.gen.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { DataplaneRig, TC_ACT_SHOT } from './dataplane-rig.js'
import { broadcast, ethernet } from './frames.js'
import { expectReasons } from './reasons.js'
import { alice, aliceToBob, bob, ping, vni, vtep } from './stations.js'

let rig: DataplaneRig
let port1: number
let port2: number

beforeAll(() => {
  rig = new DataplaneRig()
  rig.attach(rig.portIngress, rig.ports[0].name)
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  port1 = rig.addPort(rig.ports[0], vni)
  port2 = rig.addPort(rig.ports[1], vni)
  rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2] })
})

const station = (i: number) => (alice + 256 * (i + 1)) as Mac
const broadcastFrom = (from: Mac) => ethernet({ from, to: broadcast }, ping)
const fromPort1 = (frame: Uint8Array, ctx = {}) => rig.run(rig.portIngress, frame, { ifindex: port1, ...ctx })
const reasonOf = (frame: Uint8Array, ctx = {}) => fromPort1(frame, ctx).verdicts[0]!.reason
const macsLearned = (ifindex: number) => rig.maps.portStates.get({ ifindex })?.macsLearned

describe('the MAC limit', () => {
  const limitTo = (macLimit: number) => rig.addPort(rig.ports[0], vni, 1450, { macLimit })
  const speak = (i: number) => reasonOf(broadcastFrom(station(i)))

  test('lets in as many MACs as it says, and those go on speaking', () => {
    limitTo(3)
    for (const i of [0, 1, 2, 0, 1, 2]) expect(speak(i)).toBe('FORWARD_FLOOD')
    expect(fromPort1(broadcastFrom(station(3)))).toMatchObject({
      action: TC_ACT_SHOT,
      verdicts: [{ reason: 'DROP_MAC_LIMIT' }],
    })
    expect(rig.maps.learned.entries()).toHaveLength(3)
    expect(macsLearned(port1)).toBe(3)
    expect(speak(0)).toBe('FORWARD_FLOOD')
  })

  test('neither learns nor tells what it refuses', () => {
    limitTo(1)
    speak(0)
    rig.takeEvents()
    speak(1)
    expect(rig.takeEvents()).toEqual([])
  })

  test("is each port's own", () => {
    limitTo(1)
    speak(0)
    rig.run(rig.portIngress, broadcastFrom(station(1)), { ifindex: port2 })
    expect(macsLearned(port2)).toBe(1)
    expect(rig.maps.learned.entries()).toHaveLength(2)
  })

  test('has room again for as many as the daemon saw forgotten', () => {
    limitTo(2)
    for (const i of [0, 1, 2]) speak(i)
    rig.maps.learned.delete({ vni, mac: station(0) })
    rig.maps.forgotten.set({ ifindex: port1 }, { macs: 1 })
    expect(speak(2)).toBe('FORWARD_FLOOD')
    expect(speak(3)).toBe('DROP_MAC_LIMIT')
  })

  test('holds for a MAC that comes from another port', () => {
    limitTo(1)
    speak(0)
    rig.addLearned(vni, bob, port2)
    expect(reasonOf(broadcastFrom(bob))).toBe('DROP_MAC_LIMIT')
    expect(rig.maps.learned.get({ vni, mac: bob })).toMatchObject({ ifindex: port2 })
  })

  test('counts an aged MAC that speaks again once', () => {
    limitTo(1)
    speak(0)
    const key = { vni, mac: station(0) }
    rig.maps.learned.set(key, { ...rig.maps.learned.get(key)!, seenNs: 1 })
    expect(speak(0)).toBe('FORWARD_FLOOD')
    expect(macsLearned(port1)).toBe(1)
  })

  test('is none when it is 0', () => {
    for (let i = 0; i < 50; i++) expect(speak(i)).toBe('FORWARD_FLOOD')
    expect(macsLearned(port1)).toBe(50)
  })
})

describe('the BUM limit', () => {
  const frame = broadcastFrom(alice)
  const frameCost = 4_000_000_000 // ns: no second one is paid for while a test runs
  const now = () => Number(process.hrtime.bigint())
  const bookedUntil = () => rig.maps.portStates.get({ ifindex: port1 })!.bumUntilNs
  const limitTo = (bumCostNs: number, bumBurstNs: number, bumUntilNs = 0) => {
    rig.addPort(rig.ports[0], vni, 1450, { bumCostNs, bumBurstNs })
    rig.maps.portStates.set({ ifindex: port1 }, { bumUntilNs, macsLearned: 0 })
  }
  const limitToNothing = () => limitTo(frameCost, 0, now() + 3_600_000_000_000)

  test('drops BUM and unknown unicast of a port that is ahead of its time, before any copy', () => {
    limitToNothing()
    rig.ports[1].received()
    for (const flooded of [frame, aliceToBob]) {
      expect(fromPort1(flooded)).toMatchObject({
        action: TC_ACT_SHOT,
        verdicts: [{ reason: 'DROP_BUM_LIMIT', packets: 1 }],
      })
    }
    expect(rig.ports[1].received()).toEqual([])
    expect(rig.encapsulated()).toEqual([])
  })

  test('lets known unicast pass', () => {
    limitToNothing()
    rig.addLearned(vni, bob, port2)
    expect(reasonOf(aliceToBob)).toBe('FORWARD_LOCAL')
  })

  test("is each port's own", () => {
    limitToNothing()
    const { verdicts } = rig.run(rig.portIngress, frame, { ifindex: port2 })
    expect(verdicts).toMatchObject([{ reason: 'FORWARD_FLOOD' }])
  })

  test('lets a frame go when the ones before are paid for, and books what it costs', () => {
    limitTo(frameCost, 0)
    const before = now()
    expect(reasonOf(frame)).toBe('FORWARD_FLOOD')
    const until = bookedUntil()
    expect(until - before).toBeGreaterThanOrEqual(frameCost)
    expect(until - now()).toBeLessThanOrEqual(frameCost)
    expect(reasonOf(frame)).toBe('DROP_BUM_LIMIT')
    expect(bookedUntil()).toBe(until)
  })

  test('lets a burst go that is as far ahead of the clock as it says', () => {
    const cost = 100_000_000
    limitTo(cost, 40 * cost)
    const before = now()
    let flooded = 0
    while (reasonOf(frame) === 'FORWARD_FLOOD' && flooded < 1000) flooded++
    // 40 ahead, the one that starts there, and what the clock gave meanwhile.
    const given = Math.ceil((now() - before) / cost)
    expect(flooded).toBeGreaterThanOrEqual(41)
    expect(flooded).toBeLessThanOrEqual(41 + given)
  })

  test('costs a GSO frame by its segments', () => {
    limitTo(frameCost / 4, 0)
    rig.addSegment(vni, { ports: [port1] })
    const before = now()
    testRun(rig.portIngress, frame, { ctx: { ifindex: port1, gsoSegs: 7, gsoSize: 10 } })
    expect(bookedUntil() - before).toBeGreaterThanOrEqual(7 * (frameCost / 4))
    expect(bookedUntil() - now()).toBeLessThanOrEqual(7 * (frameCost / 4))
  })
})

test('without room in port_states a port has no limits, and that is counted', () => {
  rig.addPort(rig.ports[0], vni, 1450, { macLimit: 1, bumCostNs: 2 ** 31, bumBurstNs: 0 })
  const full = Array.from({ length: rig.maps.portStates.maxEntries }, (_, i) => 100_000 + i)
  for (const ifindex of full) rig.maps.portStates.set({ ifindex }, { bumUntilNs: 0, macsLearned: 0 })
  for (const i of [0, 1]) expect(reasonOf(broadcastFrom(station(i)))).toBe('FORWARD_FLOOD')
  expect(rig.losses(LossKind.LOSS_COUNT)).toBe(4)
})

test('the reasons that this file is there for were given', () => expectReasons(rig, 'port-limits'))

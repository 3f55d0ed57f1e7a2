import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Mac } from '../../src/model/mac.js'
import { EventKind, LossKind, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { DataplaneRig } from './dataplane-rig.js'
import { broadcast, ethernet } from './frames.js'
import { alice, aliceToBob, ping, vni, vtep } from './stations.js'

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
  rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2] })
})

const run = (frame: Uint8Array) => rig.run(rig.portIngress, frame, { ifindex: port1 })
const second = 1_000_000_000
const heard = () => rig.maps.learned.get({ vni, mac: alice })
const setSeen = (change: { ifindex?: number; seenNs: number }) =>
  rig.maps.learned.set({ vni, mac: alice }, { ...heard()!, ...change })

test('learning writes a new MAC and tells once', () => {
  run(aliceToBob)
  run(aliceToBob)
  const entry = heard()!
  expect(entry).toMatchObject({ ifindex: port1, seenNs: entry.sinceNs })
  expect(rig.takeEvents()).toMatchObject([
    { kind: EventKind.EVENT_MAC_LEARNED, vni, mac: alice, ifindex: port1, atNs: entry.sinceNs },
  ])
})

test('learning tells when a MAC moves to another port', () => {
  run(aliceToBob)
  rig.takeEvents()
  rig.run(rig.portIngress, aliceToBob, { ifindex: port2 })
  expect(heard()).toMatchObject({ ifindex: port2 })
  expect(rig.takeEvents()).toMatchObject([{ kind: EventKind.EVENT_MAC_MOVED, mac: alice, ifindex: port2 }])
})

test('learning refreshes an entry that is a second old, without telling', () => {
  run(aliceToBob)
  const first = heard()!
  rig.takeEvents()
  setSeen({ seenNs: first.seenNs - second })
  run(aliceToBob)
  expect(heard()!.seenNs).toBeGreaterThanOrEqual(first.seenNs)
  expect(heard()!.sinceNs).toBe(first.sinceNs)
  expect(rig.takeEvents()).toMatchObject([])
})

test('learning leaves an entry alone that is younger', () => {
  run(aliceToBob)
  const seenNs = heard()!.seenNs - second / 10
  setSeen({ seenNs })
  run(aliceToBob)
  const isYoung = Number(process.hrtime.bigint()) - seenNs < second
  if (isYoung) expect(heard()!.seenNs).toBe(seenNs)
})

test('learning tells again, once a second, of a MAC that came back while the controller has it elsewhere', () => {
  run(aliceToBob)
  rig.takeEvents()
  rig.addRemote(vni, alice, vtep)
  run(aliceToBob)
  expect(rig.takeEvents()).toMatchObject([])
  setSeen({ seenNs: heard()!.seenNs - second })
  run(aliceToBob)
  run(aliceToBob)
  expect(rig.takeEvents()).toMatchObject([{ kind: EventKind.EVENT_MAC_LEARNED, mac: alice, ifindex: port1 }])
})

test('learning is off where the segment says so', () => {
  rig.addSegment(vni, { ports: [port1, port2], flags: SegmentFlag.SEGMENT_FLOOD_REPLICATE })
  run(aliceToBob)
  expect(heard()).toBeUndefined()
  expect(rig.takeEvents()).toMatchObject([])
})

test('events that do not fit the ring are counted', () => {
  rig.addSegment(vni, { ports: [port1] })
  const frames = 8000
  for (let i = 1; i <= frames; i++) {
    const frame = ethernet({ from: (alice + i * 256) as Mac, to: broadcast }, ping)
    testRun(rig.portIngress, frame, { ctx: { ifindex: port1 } })
  }
  const told = rig.takeEvents().length
  expect(told).toBeGreaterThan(3000)
  expect(told + rig.losses(LossKind.LOSS_EVENT)).toBe(frames)
})

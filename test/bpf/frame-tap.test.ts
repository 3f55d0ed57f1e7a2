import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Mac } from '../../src/model/mac.js'
import * as abi from '../../src/node/bpf/abi.gen.js'
import type { BpfMap } from '../../src/node/bpf/map.js'
import type { BpfObject } from '../../src/node/bpf/object.js'
import { RingReader } from '../../src/node/bpf/ring.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { plainConfig } from '../../src/node/bpf/values.fixture.js'
import { readFrame, type SeenFrame } from '../../src/node/taps/record.js'
import { DataplaneRig, loadObject, readUntil, routerMac, underlayMac } from './dataplane-rig.js'
import { broadcast, ethernet, ipv4, ipv6, mac, payload, udp, vlan, vxlan } from './frames.js'
import { alice, aliceToBob, bob, remote, vni, vtep } from './stations.js'

let rig: DataplaneRig
let egress: BpfObject
let taps: BpfMap<abi.TapKey, abi.TapFilter>
let ring: RingReader
let seen: SeenFrame[] = []

beforeAll(() => {
  rig = new DataplaneRig()
  egress = loadObject('port_egress', `${rig.bpffs}`)
  taps = egress.map('taps', abi.maps.taps)
  ring = new RingReader(egress.mapFd('frames'), (...record) => seen.push(readFrame(...record)))
  rig.attach(rig.portIngress, rig.ports[0].name)
  rig.attach(egress.program('port_egress'), rig.ports[1].name, 'egress')
})
afterAll(() => {
  ring[Symbol.dispose]()
  taps[Symbol.dispose]()
  egress[Symbol.dispose]()
  rig[Symbol.dispose]()
})
beforeEach(() => {
  rig.reset()
  const ports = rig.ports.map((port) => rig.addPort(port, vni))
  rig.addSegment(vni, { ports, vteps: [vtep] })
  rig.addLearned(vni, bob, ports[1]!)
  rig.addRemote(vni, remote, vtep)
  watch(true)
  for (let slot = 0; slot < 8; slot++) taps.set({ slot }, { ...anything, untilNs: 0 })
  take()
})

const anything: abi.TapFilter = {
  untilNs: Number.MAX_SAFE_INTEGER,
  marker: 0,
  vni: 0,
  ifindex: 0,
  source: 0 as Mac,
  destination: 0 as Mac,
  flags: 0,
  snaplen: 128,
}

function watch(on: boolean): void {
  const flags = on ? abi.NodeFlag.NODE_TAP : 0
  rig.maps.config.set({ zero: 0 }, { ...plainConfig, vxlanIfindex: rig.vxlanIfindex, flags })
}

function tap(filter: Partial<abi.TapFilter>, slot = 0): void {
  taps.set({ slot }, { ...anything, ...filter })
}

function take(): SeenFrame[] {
  ring.drain()
  const taken = seen
  seen = []
  return taken
}

/** What taps see of frames from the station on port 1. */
function seenOf(...frames: Uint8Array[]): SeenFrame[] {
  for (const frame of frames) rig.ports[0].send(frame)
  return take()
}

const { FORWARD_TUNNEL, FORWARD_FLOOD, FORWARD_LOCAL, DELIVER_PORT, DROP_SOURCE_MAC } = abi.VerdictReason

test('a tap sees each frame with the program, its verdict and its bytes up to snaplen', () => {
  tap({ snaplen: 40 })
  const frame = ethernet({ from: alice, to: bob }, payload(300))
  const [one, ...others] = seenOf(frame)
  expect(others).toEqual([])
  expect(one!.head).toMatchObject({
    vni,
    program: abi.ProgramId.PROGRAM_PORT_INGRESS,
    reason: FORWARD_LOCAL,
    length: 314,
    taps: 1,
    captured: 40,
    vtep: '::',
  })
  expect(one!.bytes).toEqual(frame.subarray(0, 40))
})

test('nothing is recorded without the flag, without a tap, or after its time', () => {
  expect(seenOf(aliceToBob)).toEqual([])
  tap({ untilNs: 1 })
  expect(seenOf(aliceToBob)).toEqual([])
  tap({})
  watch(false)
  expect(seenOf(aliceToBob)).toEqual([])
})

test('a dropped frame is recorded too', () => {
  tap({})
  const [one] = seenOf(ethernet({ from: broadcast, to: bob }, payload(50)))
  expect(one!.head.reason).toBe(DROP_SOURCE_MAC)
})

test('a frame for a tunnel has its VTEP, and one that is flooded has none', () => {
  tap({})
  const records = seenOf(
    ethernet({ from: alice, to: remote }, payload(50)),
    ethernet({ from: alice, to: broadcast }, payload(50)),
  )
  expect(records.map(({ head }) => [head.reason, head.vtep])).toEqual([
    [FORWARD_TUNNEL, vtep],
    [FORWARD_FLOOD, '::'],
  ])
})

test('a frame from a tunnel has the VTEP that it came from', () => {
  tap({})
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
  const inner = ethernet({ from: remote, to: bob }, payload(50))
  const outer = ipv4({ from: vtep, to: '192.0.2.1' }, vxlan(vni, inner))
  rig.underlay.send(ethernet({ from: mac(routerMac), to: mac(underlayMac) }, outer))
  const [one] = readUntil(take, (records) => records.length > 0)
  expect(one!.head).toMatchObject({ program: abi.ProgramId.PROGRAM_TUNNEL_INGRESS, vtep, vni })
  expect(one!.bytes).toEqual(inner)
})

describe('what a tap chooses by', () => {
  const { TAP_SOURCE, TAP_DESTINATION, TAP_BOTH_WAYS } = abi.TapFlag
  const both = TAP_SOURCE | TAP_DESTINATION
  test.each([
    ['the segment', { vni }, true],
    ['another segment', { vni: vni + 1 }, false],
    ['another device', { ifindex: 1 }, false],
    ['the source', { flags: TAP_SOURCE, source: alice }, true],
    ['another source', { flags: TAP_SOURCE, source: bob }, false],
    ['the destination', { flags: TAP_DESTINATION, destination: bob }, true],
    ['another destination', { flags: TAP_DESTINATION, destination: remote }, false],
    ['the pair', { flags: both, source: alice, destination: bob }, true],
    ['the pair the other way', { flags: both, source: bob, destination: alice }, false],
    ['the pair both ways', { flags: both | TAP_BOTH_WAYS, source: bob, destination: alice }, true],
  ])('is %s', (_, filter, wanted) => {
    tap(filter)
    expect(seenOf(aliceToBob)).toHaveLength(wanted ? 1 : 0)
  })

  const mark = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0)
  const marker = Number(new DataView(mark.buffer).getBigUint64(0, true))
  const at = { from: '10.0.0.1', to: '10.0.0.2' }
  const at6 = { from: '2001:db8::1', to: '2001:db8::2' }
  test.each([
    ['of its own EtherType', { etherType: 0x88b5, bytes: mark }, true],
    ['in UDP over IPv4', ipv4(at, udp({ from: 9, to: 9 }, mark)), true],
    ['in UDP over IPv6', ipv6(at6, udp({ from: 9, to: 9 }, mark)), true],
    ['of another mark', { etherType: 0x88b5, bytes: mark.map((byte) => byte + 1) }, false],
  ])('is the mark %s', (_, packet, wanted) => {
    tap({ marker })
    expect(seenOf(ethernet({ from: alice, to: bob }, packet))).toHaveLength(wanted ? 1 : 0)
  })
})

test('two taps share one record, as long as the longer wants', () => {
  tap({ snaplen: 20 }, 0)
  tap({ snaplen: 60 }, 5)
  expect(seenOf(aliceToBob).map(({ head }) => [head.taps, head.captured])).toEqual([[0b100001, 60]])
})

test('what leaves by a port is recorded for those who want deliveries, and passes', () => {
  tap({ flags: abi.TapFlag.TAP_DELIVERIES })
  const records = seenOf(ethernet({ from: alice, to: broadcast }, payload(50)))
  // The copy leaves before the program has spoken.
  expect(records.map(({ head }) => head.reason)).toEqual([DELIVER_PORT, FORWARD_FLOOD])
  expect(rig.ports[1].received()).toHaveLength(1)
  tap({})
  expect(seenOf(aliceToBob).map(({ head }) => head.reason)).toEqual([FORWARD_LOCAL])
})

test('a tag that the kernel took off is put back', () => {
  tap({})
  const tagged = ethernet({ from: alice, to: bob }, vlan(7, payload(50)))
  const [one] = seenOf(tagged)
  expect(one!.bytes).toEqual(tagged)
  expect(one!.head.length).toBe(tagged.length)
})

test('frames that find no room in the ring are counted', () => {
  tap({ snaplen: 1536 })
  const frame = ethernet({ from: alice, to: bob }, payload(1400))
  const ifindex = rig.addPort(rig.ports[0], vni)
  testRun(rig.portIngress, frame, { repeat: 1000, ctx: { ifindex } })
  const recorded = take().length
  expect(recorded).toBeGreaterThan(500)
  expect(recorded + rig.losses(abi.LossKind.LOSS_TAP)).toBe(1000)
})

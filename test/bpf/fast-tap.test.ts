import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import type { Mac } from '../../src/model/mac.js'
import * as abi from '../../src/node/bpf/abi.gen.js'
import type { BpfObject } from '../../src/node/bpf/object.js'
import { RingReader } from '../../src/node/bpf/ring.js'
import { plainConfig } from '../../src/node/bpf/values.fixture.js'
import { readFrame, type SeenFrame } from '../../src/node/taps/record.js'
import { DataplaneRig, ifindexOf, loadObject, readUntil, routerMac, underlayMac } from './dataplane-rig.js'
import { ethernet, ipv4, mac, udp, vxlan } from './frames.js'
import { alice, remote, vni, vtep } from './stations.js'

/** Frames of the fast path, which the program itself has put into a tunnel or taken out of one. */
let rig: DataplaneRig
let objects: BpfObject[]
let ring: RingReader
let seen: SeenFrame[] = []

beforeAll(() => {
  rig = new DataplaneRig()
  objects = ['underlay_ingress', 'underlay_egress'].map((name) => loadObject(name, rig.bpffs))
  const [ingress, egress] = objects as [BpfObject, BpfObject]
  rig.attach(rig.portIngress, rig.ports[0].name)
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
  rig.attach(ingress.program('underlay_ingress'), 'underlay')
  rig.attach(egress.program('underlay_egress'), 'underlay', 'egress')
  ring = new RingReader(ingress.mapFd('frames'), (...record) => seen.push(readFrame(...record)))
})
afterAll(() => {
  ring[Symbol.dispose]()
  for (const object of objects) object[Symbol.dispose]()
  rig[Symbol.dispose]()
})
beforeEach(() => {
  rig.reset()
  const port = rig.addPort(rig.ports[0], vni)
  const { SEGMENT_FAST_PATH, SEGMENT_LEARN_PORTS } = abi.SegmentFlag
  rig.addSegment(vni, { ports: [port], vteps: [vtep], flags: SEGMENT_FAST_PATH | SEGMENT_LEARN_PORTS })
  rig.addRemote(vni, remote, vtep)
  rig.maps.config.set(
    { zero: 0 },
    {
      ...plainConfig,
      vxlanIfindex: rig.vxlanIfindex,
      underlayIfindex: ifindexOf('underlay'),
      vtep: '192.0.2.1' as Ip,
      flags: abi.NodeFlag.NODE_TAP,
    },
  )
  using taps = objects[0]!.map('taps', abi.maps.taps)
  taps.set(
    { slot: 0 },
    {
      untilNs: Number.MAX_SAFE_INTEGER,
      marker,
      vni,
      ifindex: 0,
      source: 0 as Mac,
      destination: 0 as Mac,
      flags: 0,
      snaplen: 200,
    },
  )
  take()
})

const UDP_CHECKSUM = 14 + 20 + 6
const mark = new Uint8Array(64) // no padding: that is the slow path's
mark.set([9, 8, 7, 6, 5, 4])
const marker = Number(new DataView(mark.buffer).getBigUint64(0, true))
const there = ethernet(
  { from: alice, to: remote },
  ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, udp({ from: 9, to: 9 }, mark)),
)
const back = ethernet(
  { from: remote, to: alice },
  ipv4({ from: '10.0.0.2', to: '10.0.0.1' }, udp({ from: 9, to: 9 }, mark)),
)

function take(): SeenFrame[] {
  ring.drain()
  const taken = seen
  seen = []
  return taken
}

test('a frame that the program encapsulated is shown as the station sent it, with its VTEP', () => {
  rig.ports[0].send(there) // by the kernel, whose way the fast path follows
  rig.ports[0].send(there)
  const records = take()
  expect(rig.maps.tunnels.getSummed({ vni, vtep: vtep as Ip })?.txFast).toBe(1)
  expect(records.map(({ head }) => [head.program, head.reason, head.vtep, head.length])).toEqual(
    Array(2).fill([abi.ProgramId.PROGRAM_PORT_INGRESS, abi.VerdictReason.FORWARD_TUNNEL, vtep, there.length]),
  )
  for (const { bytes } of records) expect(bytes).toEqual(there)
})

test('a frame that the program took out of its tunnel is shown with the VTEP that it came from', () => {
  rig.ports[0].send(there) // alice is known
  take()
  const outer = ipv4({ from: vtep, to: '192.0.2.1' }, vxlan(vni, back))
  const frame = ethernet({ from: mac(routerMac), to: mac(underlayMac) }, outer)
  frame.fill(0, UDP_CHECKSUM, UDP_CHECKSUM + 2) // as VXLAN over IPv4 has it
  rig.underlay.send(frame)
  const [one] = readUntil(take, (records) => records.length > 0)
  expect(one!.head).toMatchObject({ program: abi.ProgramId.PROGRAM_UNDERLAY_INGRESS, vtep, vni })
  expect(one!.bytes).toEqual(back)
})

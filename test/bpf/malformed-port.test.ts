import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { PortFlag, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { DataplaneRig } from './dataplane-rig.js'
import { deviceCounters } from './device-counters.js'
import { broadcast, ethernet } from './frames.js'
import { isHeaderCutShort, isTagCutShort, oddPackets, truncations } from './odd-packets.js'
import { alice, bob, otherVtep, remote, vni, vtep } from './stations.js'

let rig: DataplaneRig
let port1: number

beforeAll(() => {
  rig = new DataplaneRig()
  for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
})
afterAll(() => rig[Symbol.dispose]())

const TAG_CUT_SHORT = 'a tag cut short'
const destinations = [
  [bob, 'FORWARD_LOCAL'],
  [remote, 'FORWARD_TUNNEL'],
  [broadcast, 'FORWARD_FLOOD'],
] as const
const refusals = ['DROP_SPOOFED_IP', 'DROP_SPOOFED_MAC', 'DROP_TENANT_VXLAN', 'DROP_RA_GUARD']

const { SEGMENT_FLOOD_REPLICATE, SEGMENT_LEARN_PORTS, SEGMENT_SUPPRESS, SEGMENT_RA_GUARD } = SegmentFlag
const plain = SEGMENT_FLOOD_REPLICATE | SEGMENT_LEARN_PORTS

/** Port 3 is another segment's: nothing may ever get there. */
function world(portFlags: number, segmentFlags: number): void {
  rig.reset()
  port1 = rig.addPort(rig.ports[0], vni, 1450, { flags: portFlags })
  const port2 = rig.addPort(rig.ports[1], vni)
  rig.addSegment(vni, { vteps: [vtep, otherVtep], ports: [port1, port2], flags: segmentFlags })
  rig.addSegment(200, { vteps: [vtep], ports: [rig.addPort(rig.ports[2], 200)] })
  rig.addLearned(vni, bob, port2)
  rig.addRemote(vni, remote, vtep)
}

interface Out {
  readonly ports: readonly (readonly Uint8Array[])[]
  readonly tunnel: readonly { readonly to: string; readonly inner: Uint8Array }[]
}

/** What has to come out for a frame that was counted so, when all is right. */
function expected(reason: string, frame: Uint8Array, answer: readonly Uint8Array[]): Out {
  const tunnel = (...vteps: string[]) => vteps.map((to) => ({ to, inner: frame }))
  switch (reason) {
    case 'FORWARD_LOCAL':
      return { ports: [[], [frame], []], tunnel: [] }
    case 'FORWARD_TUNNEL':
      return { ports: [[], [], []], tunnel: tunnel(vtep) }
    case 'FORWARD_FLOOD':
      return { ports: [[], [frame], []], tunnel: tunnel(vtep, otherVtep) }
    case 'ANSWER_NEIGHBOR':
    case 'DROP_TOO_BIG':
      return { ports: [answer.slice(0, 1), [], []], tunnel: [] }
    default:
      return { ports: [[], [], []], tunnel: [] }
  }
}

/** Sends a frame into port 1. It must be counted once and come out where that says, and nowhere else; the reason. */
function enter(frame: Uint8Array): string {
  const mayRefuse = isHeaderCutShort(frame)
  const before = mayRefuse ? refusedByVxlan() : 0
  const { verdicts } = rig.observe(() => rig.ports[0].send(frame))
  const ports = rig.ports.map((tap) => tap.received())
  const tunnel = rig.encapsulated().map(({ to, inner }) => ({ to, inner }))
  if (isTagCutShort(frame)) {
    expect({ verdicts, ports, tunnel }).toEqual({ verdicts: [], ports: [[], [], []], tunnel: [] })
    return TAG_CUT_SHORT
  }
  expect(verdicts).toMatchObject([{ packets: 1, bytes: frame.length, program: 'PROGRAM_PORT_INGRESS' }])
  const { reason } = verdicts[0]!
  const out = expected(reason, frame, ports[0]!)
  const isRefused = mayRefuse && tunnel.length === 0
  if (isRefused) expect(refusedByVxlan() - before).toBe(out.tunnel.length)
  expect({ reason, ports, tunnel }).toEqual({ reason, ...out, tunnel: isRefused ? [] : out.tunnel })
  return reason
}

const refusedByVxlan = () => deviceCounters('weft-vxlan')['tx_drop']!
const everyGuard = PortFlag.PORT_FILTER_MAC | PortFlag.PORT_FILTER_IP
const worlds: [string, () => void][] = [
  ['a plain port', () => world(0, plain)],
  [
    'a port with every guard, in a segment with every option',
    () => {
      world(everyGuard, plain | SEGMENT_SUPPRESS | SEGMENT_RA_GUARD)
      rig.maps.allowedMacs.set({ ifindex: port1, mac: alice }, { flags: 0 })
      for (const ip of ['10.0.0.1', 'fd00::1'] as Ip[]) {
        rig.maps.allowedIps.set({ prefixLength: 160, ifindex: port1, ip }, { flags: 0 })
      }
    },
  ],
]

describe.each(worlds)('on %s', (where, make) => {
  beforeEach(make)

  test.each(Object.entries(oddPackets))(
    '%s, cut at each byte, is counted once and is out there alone',
    (_, packet) => {
      for (const [to, known] of destinations) {
        const reasons = new Set([...truncations({ from: alice, to }, packet)].map(enter))
        reasons.delete(TAG_CUT_SHORT)
        if (where === 'a plain port') expect([...reasons]).toEqual([known])
        else expect([...reasons].every((reason) => reason === known || refusals.includes(reason))).toBe(true)
      }
    },
  )
})

test.each([1465, 1466, 9014, 65_535])(
  'a frame of %i bytes is dropped as too large, whatever it is',
  (length) => {
    world(0, plain)
    for (const packet of Object.values(oddPackets)) {
      const bytes = new Uint8Array(length - 14)
      bytes.set(packet.bytes)
      for (const to of [bob, remote, broadcast]) {
        const reason = enter(ethernet({ from: alice, to }, { ...packet, bytes }))
        expect(['DROP_OVER_MTU', 'DROP_TOO_BIG', 'DROP_TENANT_VXLAN']).toContain(reason)
      }
    }
  },
)

test.each([0, 1, 13])('%i bytes are refused by the device, since no frame is that short', (length) => {
  world(0, plain)
  expect(() => rig.ports[0].send(new Uint8Array(length))).toThrow('EINVAL')
  expect(rig.verdicts()).toEqual([])
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { DataplaneRig, readUntil } from './dataplane-rig.js'
import { protocolErrors, receiveErrors } from './device-counters.js'
import { broadcast, ethernet, ipv4, ipv6, mac, type Packet, payload, udp, vxlan } from './frames.js'
import { extended, fragment6 } from './neighbor-frames.js'
import { isHeaderCutShort, isTagCutShort, oddPackets, truncations } from './odd-packets.js'
import { routerMac, underlayMac } from './rig-network.js'
import { alice, ping, remote, vni, vtep, vtep6 } from './stations.js'
import { encapsulated, receiveThrough, sendAndCount } from './through-tunnel.js'

let rig: DataplaneRig

beforeAll(() => {
  rig = new DataplaneRig()
  for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
})
afterAll(() => rig[Symbol.dispose]())

/** Port 3 is another segment's: nothing may ever get there. */
beforeEach(() => {
  rig.reset()
  const port1 = rig.addPort(rig.ports[0], vni)
  const flags =
    SegmentFlag.SEGMENT_LEARN_TUNNELS | SegmentFlag.SEGMENT_LEARN_PORTS | SegmentFlag.SEGMENT_SUPPRESS
  rig.addSegment(vni, { vteps: [vtep, vtep6], ports: [port1, rig.addPort(rig.ports[1], vni)], flags })
  rig.addSegment(200, { ports: [rig.addPort(rig.ports[2], 200)] })
  rig.addLearned(vni, alice, port1)
})

const good = ethernet({ from: remote, to: alice }, ping)
const underlays = [
  ['IPv4', vtep],
  ['IPv6', vtep6],
] as const

const nothing = { ports: [[], [], []], tunnel: [] }
/** What came out: a redirect is carried out after it was counted. */
function out(isComplete: (ports: Uint8Array[][]) => boolean) {
  const ports: Uint8Array[][] = [[], [], []]
  readUntil(() => {
    for (const [i, tap] of rig.ports.entries()) ports[i]!.push(...tap.received())
    return ports
  }, isComplete)
  return { ports, tunnel: rig.encapsulated() }
}

/**
 * The frame comes in a good tunnel. It must be counted once, by a program or by
 * the VXLAN device, and come out where that says, and nowhere else.
 */
function enter(frame: Uint8Array, from: string): string {
  const before = receiveErrors('weft-vxlan')
  const start = rig.countedPackets()
  const refused = () => receiveErrors('weft-vxlan') - before
  const { verdicts } = rig.observe(() => {
    rig.underlay.send(encapsulated(frame, { from }))
    readUntil(
      () => rig.countedPackets() - start || refused(),
      (count) => count > 0,
    )
  })
  if (verdicts.length === 0) {
    expect({ refused: refused(), ...out(() => true) }).toEqual({ refused: 1, ...nothing })
    return REFUSED
  }
  expect(verdicts).toMatchObject([{ packets: 1, bytes: frame.length, program: 'PROGRAM_TUNNEL_INGRESS' }])
  const { reason } = verdicts[0]!
  const expected = {
    ports: [reason.startsWith('FORWARD') ? [frame] : [], reason === 'FORWARD_FLOOD' ? [frame] : [], []],
    tunnel: [],
  }
  const count = expected.ports.flat().length
  expect({ reason, ...out((ports) => ports.flat().length >= count) }).toEqual({ reason, ...expected })
  return reason
}

const REFUSED = 'refused by the VXLAN device'

/**
 * Of packets that the kernel takes no frame out of: a good frame sent behind them is
 * the first that any program sees.
 */
function expectNothingOf(packets: readonly Uint8Array[]): void {
  const { verdicts } = rig.observe(() => {
    for (const packet of packets) rig.underlay.send(packet)
    sendAndCount(rig, encapsulated(good))
  })
  expect(verdicts).toMatchObject([{ reason: 'FORWARD_LOCAL', packets: 1 }])
  expect(out((ports) => ports.flat().length > 0)).toEqual({ ports: [[good], [], []], tunnel: [] })
}

describe.each(underlays)('out of a tunnel over %s', (_, from) => {
  test.each(Object.entries(oddPackets))(
    '%s, cut at each byte, is counted once and is out there alone',
    (__, packet) => {
      for (const [to, known] of [
        [alice, 'FORWARD_LOCAL'],
        [broadcast, 'FORWARD_FLOOD'],
      ] as const) {
        const frames = [...truncations({ from: remote, to }, packet)]
        expectNothingOf(frames.filter(isTagCutShort).map((frame) => encapsulated(frame, { from })))
        for (const frame of frames.filter((one) => !isTagCutShort(one))) {
          const reason = enter(frame, from)
          if (reason !== known) expect([reason, isHeaderCutShort(frame)]).toEqual([REFUSED, true])
        }
      }
    },
  )

  test('a frame without its whole Ethernet header is none', () => {
    expectNothingOf(
      Array.from({ length: 14 }, (__, length) => encapsulated(good.subarray(0, length), { from })),
    )
  })

  test('a packet cut at each byte of its outer headers and of the frame in it is none', () => {
    const whole = encapsulated(good, { from })
    expectNothingOf(Array.from({ length: whole.length - 14 }, (__, i) => whole.slice(0, 14 + i)))
  })

  test.each([1465, 1514, 9014, 60_000])(
    'a frame of %i bytes is delivered whole: its sender minds the size',
    (length) => {
      expect(enter(ethernet({ from: remote, to: alice }, payload(length - 14)), from)).toBe('FORWARD_LOCAL')
    },
  )

  test.each([1, 0xff_fff7, 0xff_ffff])('VNI %i, which nobody serves, is dropped under VNI 0', (unknown) => {
    expect(receiveThrough(rig, good, { from, vni: unknown })).toMatchObject([
      { vni: 0, reason: 'DROP_UNKNOWN_VNI', packets: 1 },
    ])
    expect(out(() => true)).toEqual(nothing)
  })
})

describe('an outer packet', () => {
  const outer4 = { from: vtep, to: '192.0.2.1' }
  const outer6 = { from: vtep6, to: '2001:db8::1' }
  const datagram = vxlan(vni, good)
  const onWire = (packet: Packet) => ethernet({ from: mac(routerMac), to: mac(underlayMac) }, packet)
  /** With bytes changed; the checksum of the IPv4 header is made right again. */
  const changed = (packet: Packet, at: number, ...values: number[]) => {
    const bytes = Uint8Array.from(packet.bytes)
    bytes.set(values, at)
    if (packet.etherType === 0x0800 && at < 20) sumHeader(bytes)
    return onWire({ ...packet, bytes })
  }
  const over4 = ipv4(outer4, datagram)
  const over6 = ipv6(outer6, datagram)
  const vxlanAt = 20 + 8
  const header = (...bytes: number[]) =>
    onWire(ipv4(outer4, udp({ from: 50_000, to: 4789 }, Uint8Array.from([...bytes, ...good]))))

  test('with IPv4 options, or IPv6 options, carries its frame all the same', () => {
    const summed = { protocol: datagram.protocol, bytes: over6.bytes.subarray(40) }
    for (const packet of [ipv4({ ...outer4, options: 10 }, datagram), ipv6(outer6, extended(60, summed))]) {
      const { verdicts } = rig.observe(() => sendAndCount(rig, onWire(packet)))
      expect(verdicts).toMatchObject([{ reason: 'FORWARD_LOCAL', bytes: good.length }])
      expect(out((ports) => ports.flat().length > 0)).toEqual({ ports: [[good], [], []], tunnel: [] })
    }
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['of IHL 0', changed(over4, 0, 0x40), /^Ip:InHdrErrors$/],
    ['of IHL 4', changed(over4, 0, 0x44), /^Ip:InHdrErrors$/],
    ['of version 6 in IPv4', changed(over4, 0, 0x65), /^Ip:InHdrErrors$/],
    ['of a total length past its end', changed(over4, 2, 0xff, 0xff), /^IpExt:InTruncatedPkts$/],
    ['of total length 19', changed(over4, 2, 0, 19), /^Ip:InHdrErrors$/],
    [
      'of a wrong header checksum',
      onWire({ ...over4, bytes: over4.bytes.with(10, over4.bytes[10]! ^ 1) }),
      /CsumErrors$/,
    ],
    ['that is a first fragment', changed(over4, 6, 0x20, 0), /^Ip:ReasmReqds$/],
    ['that is a later fragment', changed(over4, 6, 0, 10), /^Ip:ReasmReqds$/],
    ['of version 4 in IPv6', changed(over6, 0, 0x45), /^Ip6InHdrErrors$/],
    ['of a payload length past its end', changed(over6, 4, 0xff, 0xff), /^Ip6InTruncatedPkts$/],
    [
      'of IPv6 that is a first fragment',
      onWire(ipv6(outer6, fragment6(datagram, 0, true))),
      /^Ip6ReasmReqds$/,
    ],
    ['of UDP length 0', changed(over4, 24, 0, 0), /^Udp:InErrors$/],
    ['of UDP length 7', changed(over4, 24, 0, 7), /^Udp:InErrors$/],
    ['of UDP length past its end', changed(over4, 24, 0xff, 0xff), /^Udp:InErrors$/],
    ['of a wrong UDP checksum', changed(over4, 26, 1, 1), /^Udp:InCsumErrors$/],
    ['of IPv6 and a wrong UDP checksum', changed(over6, 46, 1, 1), /^Udp6InCsumErrors$/],
    ['to another UDP port', onWire(ipv4(outer4, udp({ from: 50_000, to: 4790 }, good))), /^Udp:NoPorts$/],
  ])('%s carries nothing, and the kernel counts why', (_, packet, counter) => {
    const before = protocolErrors()
    expectNothingOf([packet])
    const counted = [...protocolErrors()].filter(([name, count]) => count > (before.get(name) ?? 0))
    expect(counted.map(([name]) => name)).toContainEqual(expect.stringMatching(counter))
  })

  test.each<[string, Uint8Array]>([
    ['no flag', header(0, 0, 0, 0, 0, 0, vni, 0)],
    ['the I flag away and all others set', header(0xf7, 0xff, 0xff, 0xff, 0, 0, vni, 0)],
    ['a reserved flag', header(0x88, 0, 0, 0, 0, 0, vni, 0)],
    ['reserved bits before the VNI', header(8, 0, 0, 1, 0, 0, vni, 0)],
    ['reserved bits behind the VNI', header(8, 0, 0, 0, 0, 0, vni, 1)],
  ])('with %s in its VXLAN header carries nothing', (_, packet) => {
    expect(packet[14 + vxlanAt + 6]).toBe(vni)
    expectNothingOf([packet])
  })
})

/** Makes the checksum of an IPv4 header right (RFC 1071). */
function sumHeader(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer)
  view.setUint16(10, 0)
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  view.setUint16(10, ~sum & 0xffff)
}

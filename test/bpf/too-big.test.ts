import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testRun } from '../../src/node/bpf/test-run.js'
import { DataplaneRig, TC_ACT_REDIRECT, TC_ACT_SHOT } from './dataplane-rig.js'
import { broadcast, ethernet, icmp, ipv4, ipv6, type Packet, type Segment, tcp, udp, vlan } from './frames.js'
import { readIcmpError } from './icmp-error.js'
import { extended, fragment6, icmp6 } from './neighbor-frames.js'
import { expectReasons } from './reasons.js'
import { alice, bob, vni, vtep } from './stations.js'

const mtu = 1450
let rig: DataplaneRig
let port1: number

beforeAll(() => {
  rig = new DataplaneRig()
  for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  port1 = rig.addPort(rig.ports[0], vni, mtu)
  rig.addPort(rig.ports[1], vni, mtu)
  rig.addSegment(vni, { vteps: [vtep] })
  rig.addRemote(vni, bob, vtep)
})

const toBob = (packet: Packet) => ethernet({ from: alice, to: bob }, packet)
const large = new Uint8Array(1500).map((_, i) => i)
const datagram = udp({ from: 1000, to: 2000 }, large)
const from4 = (segment: Segment, more = {}) => ipv4({ from: '10.0.0.1', to: '10.0.0.2', ...more }, segment)
const from6 = (segment: Segment, more = {}) => ipv6({ from: 'fd00::1', to: 'fd00::2', ...more }, segment)

/** What comes back by the port that the frame came in by. */
function answerTo(frame: Uint8Array) {
  const { verdicts } = rig.observe(() => rig.ports[0].send(frame))
  expect(verdicts).toMatchObject([{ reason: 'DROP_TOO_BIG', packets: 1, bytes: frame.length }])
  expect(rig.encapsulated()).toEqual([])
  const received = rig.ports[0].received()
  expect(received).toHaveLength(1)
  return readIcmpError(received[0]!)
}

const reasonOf = (packet: Packet, ctx = {}) =>
  rig.run(rig.portIngress, toBob(packet), { ifindex: port1, ...ctx })

describe('a packet over the MTU', () => {
  test('of IPv4 is answered as a router would: fragmentation needed', () => {
    const packet = from4(datagram)
    const { quote, ...error } = answerTo(toBob(packet))
    expect(error).toEqual({
      to: alice,
      from: bob,
      tags: new Uint8Array(0),
      ttl: 64,
      valid: true,
      source: '10.0.0.2',
      destination: '10.0.0.1',
      type: 3,
      code: 4,
      mtu,
    })
    expect(quote).toEqual(packet.bytes.subarray(0, quote.length))
    expect(quote.length).toBe(480)
  })

  test('of IPv6 is answered: packet too big', () => {
    const packet = from6(datagram)
    const { quote, ...error } = answerTo(toBob(packet))
    expect(error).toEqual({
      to: alice,
      from: bob,
      tags: new Uint8Array(0),
      ttl: 64,
      valid: true,
      source: 'fd00::2',
      destination: 'fd00::1',
      type: 2,
      code: 0,
      mtu,
    })
    expect(quote).toEqual(packet.bytes.subarray(0, quote.length))
  })

  test.each([
    ['one tag', (packet: Packet) => vlan(5, packet), 4],
    ['two tags', (packet: Packet) => vlan(5, vlan(6, packet), 0x88a8), 8],
  ])('is answered behind %s, which count into the MTU', (_, tagged, bytes) => {
    for (const packet of [from4(datagram), from6(datagram)]) {
      const frame = toBob(tagged(packet))
      const error = answerTo(frame)
      expect(error).toMatchObject({ mtu: mtu - bytes, valid: true })
      expect(error.tags).toEqual(frame.subarray(12, 12 + bytes))
    }
  })

  test.each([
    ['options', from4(datagram, { options: 5 })],
    ['extensions', from6(extended(0, extended(60, datagram, 4)))],
    ['a first fragment', from6(fragment6(datagram, 0, true))],
    ['TCP', from4(tcp({ from: 1, to: 2 }, large))],
    ['an echo request', from4(icmp({ id: 1, seq: 1 }, large))],
    ['an echo request of ICMPv6', from6(icmp6(128, large))],
  ])('is answered with %s', (_, packet) => {
    const { quote, ...error } = answerTo(toBob(packet))
    expect(error).toMatchObject({ mtu, valid: true })
    expect(quote).toEqual(packet.bytes.subarray(0, quote.length))
  })

  test.each([
    [
      'IPv4',
      from4(
        udp(
          { from: 1, to: 2 },
          new Uint8Array(5000).map((_, i) => i),
        ),
      ),
    ],
    [
      'IPv6',
      from6(
        udp(
          { from: 1, to: 2 },
          new Uint8Array(5000).map((_, i) => i),
        ),
      ),
    ],
  ])('of %s is answered although all behind its Ethernet header is in page fragments', (_, packet) => {
    const scattered = { segmentSize: 0, headerLength: 14, checksumStart: 0 }
    const { verdicts } = rig.observe(() => rig.ports[1].send(toBob(packet), scattered))
    expect(verdicts).toMatchObject([{ reason: 'DROP_TOO_BIG' }])
    const { quote, ...error } = readIcmpError(rig.ports[1].received()[0]!)
    expect(error).toMatchObject({ to: alice, from: bob, mtu, valid: true })
    expect(quote).toEqual(packet.bytes.subarray(0, quote.length))
  })

  test('is one that does not fit by a single byte', () => {
    const ofLength = (length: number) => toBob(from4(udp({ from: 1, to: 2 }, large.subarray(0, length - 28))))
    expect(answerTo(ofLength(mtu + 1)).mtu).toBe(mtu)
    expect(rig.observe(() => rig.ports[0].send(ofLength(mtu))).verdicts).toMatchObject([
      { reason: 'FORWARD_TUNNEL' },
    ])
  })

  test('of IPv6 is never told less than 1280, and nothing when that would not help', () => {
    rig.addPort(rig.ports[0], vni, 1200)
    expect(answerTo(toBob(from6(udp({ from: 1, to: 2 }, large.subarray(0, 1233))))).mtu).toBe(1280)
    expect(reasonOf(from6(udp({ from: 1, to: 2 }, large.subarray(0, 1232)))).verdicts).toMatchObject([
      { reason: 'DROP_OVER_MTU' },
    ])
    expect(answerTo(toBob(from4(udp({ from: 1, to: 2 }, large.subarray(0, 1200))))).mtu).toBe(1200)
  })

  test.each([
    ['a later fragment', from6(fragment6(datagram, 1480, false, large))],
    ['an ICMP error', from4(icmpOf(3))],
    ['an ICMPv6 error', from6(icmp6(1, large))],
    ['a redirect', from6(icmp6(137, large))],
    ['a packet to a group', ipv4({ from: '10.0.0.1', to: '224.0.0.9' }, datagram)],
    ['a packet to everybody', ipv4({ from: '10.0.0.1', to: '255.255.255.255' }, datagram)],
    ['a packet from a group', ipv4({ from: '224.0.0.9', to: '10.0.0.1' }, datagram)],
    ['a packet from nobody', ipv4({ from: '0.0.0.0', to: '10.0.0.1' }, datagram)],
    ['IPv6 to a group', ipv6({ from: 'fd00::1', to: 'ff05::9' }, datagram)],
    ['IPv6 from nobody', ipv6({ from: '::', to: 'fd00::1' }, datagram)],
    ['no IP', { etherType: 0x88b5, bytes: large }],
    ['a small packet in a large frame', padded(from4(udp({ from: 1, to: 2 })))],
    ['IP of another version', damaged(from4(datagram), 0, 0x55)],
  ])('is dropped in silence when it is %s', (_, packet) => {
    expect(reasonOf(packet)).toMatchObject({ action: TC_ACT_SHOT, verdicts: [{ reason: 'DROP_OVER_MTU' }] })
  })

  test('is dropped in silence when its frame is for a group', () => {
    const frame = ethernet({ from: alice, to: broadcast }, from4(datagram))
    expect(rig.run(rig.portIngress, frame, { ifindex: port1 }).verdicts).toMatchObject([
      { reason: 'DROP_OVER_MTU' },
    ])
  })
})

describe('a GSO frame with segments over the MTU', () => {
  const headers = { from4: 54, from6: 74 }
  const bulk = new Uint8Array(20_000).map((_, i) => i * 7)

  test.each([
    ['IPv4', from4(tcp({ from: 1, to: 2 }, bulk)), headers.from4, false],
    ['IPv6', from6(tcp({ from: 1, to: 2 }, bulk)), headers.from6, true],
  ])('of %s is answered once, with checksums that hold when the device has filled in its own', (...row) => {
    const [, packet, headerLength, isIpv6] = row
    const frame = toBob(packet)
    // As a guest leaves it: the checksum field holds the pseudo header's sum.
    const checksumStart = headerLength - 20
    setPseudoSum(frame, checksumStart, isIpv6)
    const gso = { segmentSize: 1411, headerLength, checksumStart, ipv6: isIpv6 }
    const { verdicts } = rig.observe(() => rig.ports[1].send(frame, gso))
    const received = rig.ports[1].received()

    expect(verdicts).toMatchObject([{ reason: 'DROP_TOO_BIG', packets: Math.ceil(20_000 / 1411) }])
    expect(received).toHaveLength(1)
    const error = readIcmpError(received[0]!)
    expect(error).toMatchObject({ to: alice, from: bob, mtu, valid: true })
    expect(error.quote.subarray(0, 36)).toEqual(packet.bytes.subarray(0, 36))
  })

  test('is forwarded when they fit, however long it is', () => {
    const frame = toBob(from4(tcp({ from: 1, to: 2 }, bulk.subarray(0, 3000))))
    const send = (gsoSize: number) =>
      testRun(rig.portIngress, frame, { ctx: { ifindex: port1, gsoSize, gsoSegs: 3 } })
    expect(rig.observe(() => send(1410)).verdicts).toMatchObject([{ reason: 'FORWARD_TUNNEL' }])
    expect(rig.observe(() => send(1411)).verdicts).toMatchObject([{ reason: 'DROP_TOO_BIG' }])
    expect(send(1411).verdict).toBe(TC_ACT_REDIRECT)
  })
})

test('the reasons that the list promises were caused here', () => expectReasons(rig, 'too-big'))

function icmpOf(type: number): Segment {
  const { bytes, ...rest } = icmp({ id: 1, seq: 1 }, large)
  const copy = Uint8Array.from(bytes)
  copy[0] = type
  return { ...rest, bytes: copy }
}

function padded({ etherType, bytes }: Packet): Packet {
  return { etherType, bytes: Uint8Array.of(...bytes, ...large) }
}

function damaged({ etherType, bytes }: Packet, at: number, value: number): Packet {
  return { etherType, bytes: bytes.with(at, value) }
}

function setPseudoSum(frame: Uint8Array, tcpAt: number, isIpv6: boolean): void {
  const view = new DataView(frame.buffer)
  const [from, to] = isIpv6 ? [22, 54] : [26, 34]
  let sum = 6 + frame.length - tcpAt
  for (let at = from; at < to; at += 2) sum += view.getUint16(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  view.setUint16(tcpAt + 16, sum)
}

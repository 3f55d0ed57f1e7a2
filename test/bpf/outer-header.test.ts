import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DataplaneRig, readUntil } from './dataplane-rig.js'
import { arp, ethernet, icmp, ipv4, ipv6, payload, tcp, udp, vlan } from './frames.js'
import { alice, bob, remote, vni, vtep, vtep6 } from './stations.js'
import { deliveredBy, encapsulated, receiveThrough } from './through-tunnel.js'

let rig: DataplaneRig

beforeAll(() => {
  rig = new DataplaneRig()
  rig.attach(rig.portIngress, 'port1')
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  const port1 = rig.addPort(rig.ports[0], vni)
  rig.addSegment(vni, { vteps: [vtep, vtep6], ports: [port1] })
  rig.addLearned(vni, alice, port1)
})

const [NOT_ECT, ECT_1, ECT_0, CE] = [0, 1, 2, 3]
const dscp = 46 << 2

const underlays = [
  ['IPv4', vtep],
  ['IPv6', vtep6],
] as const
const inners = [
  [
    'IPv4',
    (trafficClass: number) =>
      ipv4({ from: '10.0.0.2', to: '10.0.0.1', trafficClass }, udp({ from: 1, to: 2 })),
  ],
  [
    'IPv6',
    (trafficClass: number) => ipv6({ from: 'fd00::2', to: 'fd00::1', trafficClass }, udp({ from: 1, to: 2 })),
  ],
] as const
const pairs = underlays.flatMap(([over, to]) => inners.map(([kind, packet]) => ({ kind, over, to, packet })))

/** TOS or traffic class of a frame. */
function trafficClassOf(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset)
  return view.getUint16(12) === 0x0800 ? view.getUint8(15) : (view.getUint16(14) >>> 4) & 255
}

describe.each(pairs)('$kind over $over', ({ to, packet }) => {
  // The kernel keeps to RFC 3168 9.1.1 here: CE leaves as ECT(0), and is CE still when it arrives.
  test.each([
    [NOT_ECT, NOT_ECT],
    [ECT_1, ECT_1],
    [ECT_0, ECT_0],
    [CE, ECT_0],
  ])('leaves with its ECN outside, and its DSCP inside only: %i as %i', (inner, outer) => {
    rig.addRemote(vni, remote, to)
    const frame = ethernet({ from: alice, to: remote }, packet(dscp | inner))
    rig.ports[0].send(frame)
    expect(rig.encapsulated()).toMatchObject([{ trafficClass: outer, ttl: 64, inner: frame }])
  })

  // RFC 6040 4.2, figure 4.
  test.each([
    [NOT_ECT, NOT_ECT, NOT_ECT],
    [NOT_ECT, ECT_1, NOT_ECT],
    [NOT_ECT, ECT_0, NOT_ECT],
    [ECT_0, NOT_ECT, ECT_0],
    [ECT_0, ECT_0, ECT_0],
    [ECT_0, ECT_1, ECT_1],
    [ECT_0, CE, CE],
    [ECT_1, NOT_ECT, ECT_1],
    [ECT_1, ECT_0, ECT_1],
    [ECT_1, ECT_1, ECT_1],
    [ECT_1, CE, CE],
    [CE, NOT_ECT, CE],
    [CE, ECT_0, CE],
    [CE, CE, CE],
  ])('arrives, when %i inside %i, as %i', (inner, outer, arrived) => {
    const frame = ethernet({ from: remote, to: alice }, packet(dscp | inner))
    receiveThrough(rig, frame, { from: to, trafficClass: outer })
    expect(deliveredBy(rig.ports[0]).map(trafficClassOf)).toEqual([dscp | arrived])
  })

  test('does not arrive when congestion was marked that it cannot tell, and the VXLAN device counts it', () => {
    const frame = ethernet({ from: remote, to: alice }, packet(NOT_ECT))
    const refused = () =>
      Number(
        readFileSync('/proc/self/net/dev', 'utf8')
          .match(/weft-vxlan:.*/)![0]
          .split(/\s+/)[6],
      )
    const before = refused()
    rig.underlay.send(encapsulated(frame, { from: to, trafficClass: CE }))
    expect(readUntil(refused, (count) => count > before)).toBe(before + 1)
    expect(rig.ports[0].received()).toEqual([])
  })
})

describe.each(underlays)('the source port over %s', (_, to) => {
  const sourcePort = (frame: Uint8Array) => {
    rig.ports[0].send(frame)
    return rig.encapsulated()[0]!.sourcePort
  }
  const toBob = (packet: Parameters<typeof ethernet>[1]) => ethernet({ from: alice, to: bob }, packet)
  const flow = (from: number, length = 0) =>
    toBob(ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, udp({ from, to: 9 }, new Uint8Array(length))))
  const flow6 = (from: number) => toBob(ipv6({ from: 'fd00::1', to: 'fd00::2' }, tcp({ from, to: 9 })))
  beforeEach(() => rig.addRemote(vni, bob, to))

  test.each([
    ['UDP', flow],
    ['TCP of IPv6', flow6],
  ])('differs between flows of %s, from 49152 to 65535', (__, make) => {
    const ports = Array.from({ length: 256 }, (___, i) => sourcePort(make(1000 + i)))
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(49_152)
    expect(Math.max(...ports)).toBeLessThanOrEqual(65_535)
    // 256 of 16384: about two pairs meet by chance.
    expect(new Set(ports).size).toBeGreaterThan(240)
  })

  const odd = {
    ARP: toBob(arp({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' })),
    'an unknown protocol': toBob(payload(80)),
    'a tagged packet': toBob(vlan(10, ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, udp({ from: 1, to: 9 })))),
    ICMP: toBob(ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, icmp({ id: 1, seq: 1 }))),
  }
  test.each(Object.entries(odd))('is in that range for %s too', (__, frame) => {
    const port = sourcePort(frame)
    expect(port).toBeGreaterThanOrEqual(49_152)
    expect(port).toBeLessThanOrEqual(65_535)
    expect(sourcePort(frame)).toBe(port)
  })

  test('is that of its flow, whatever the length and whatever came between', () => {
    const port = sourcePort(flow(1000))
    for (const length of [1, 100, 1300]) {
      sourcePort(flow(2000 + length))
      expect(sourcePort(flow(1000, length))).toBe(port)
    }
  })
})

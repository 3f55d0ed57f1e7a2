import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { EventKind, ProbeKind } from '../../src/node/bpf/abi.gen.js'
import type { BpfObject } from '../../src/node/bpf/object.js'
import { PROBE_BYTES, type Probe, probeFrame } from '../../src/node/probes/probe-frame.js'
import { sendIntoPort, sendIntoTunnel } from '../../src/node/probes/sending.js'
import {
  DataplaneRig,
  ifindexOf,
  ip,
  loadObject,
  readUntil,
  routerMac,
  underlayMac,
} from './dataplane-rig.js'
import { ethernet, ipv4, ipv6, mac, payload, vxlan } from './frames.js'
import { expectReasons } from './reasons.js'
import { alice, bob, vni, vtep, vtep6 } from './stations.js'

let rig: DataplaneRig
let object: BpfObject

beforeAll(() => {
  rig = new DataplaneRig()
  object = loadObject('probe', rig.bpffs)
  rig.attach(rig.portIngress, rig.ports[0].name)
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
})
afterAll(() => {
  object[Symbol.dispose]()
  rig[Symbol.dispose]()
})
beforeEach(() => {
  rig.reset()
  const ports = rig.ports.map((port) => rig.addPort(port, vni))
  rig.addSegment(vni, { ports, vteps: [vtep, vtep6] })
  rig.takeProbes()
})

const probe: Probe = {
  kind: ProbeKind.PROBE_REQUEST,
  vni,
  sequence: 7,
  size: 1450,
  sentUs: 4_000_000_000,
  heldUs: 3,
  to: vtep as Ip,
}
const program = () => object.program('probe')

describe('a frame sent into a port', () => {
  test('goes the way of one that its station sent, and is learned and counted as such', () => {
    const [port] = rig.ports
    rig.addLearned(vni, bob, ifindexOf(rig.ports[1].name))
    const frame = ethernet({ from: alice, to: bob }, payload(50))
    const { verdicts } = rig.observe(() => {
      sendIntoPort(program(), ifindexOf(port.name), frame)
      readUntil(
        () => rig.countedPackets(),
        (packets) => packets > 0,
      )
    })
    expect(verdicts).toMatchObject([{ vni, program: 'PROGRAM_PORT_INGRESS', reason: 'FORWARD_LOCAL' }])
    expect(rig.ports[1].received()).toEqual([frame])
    expect(rig.maps.learned.get({ vni, mac: alice })?.ifindex).toBe(ifindexOf(port.name))
  })

  test('is refused where there is no port', () => {
    const frame = ethernet({ from: alice, to: bob }, payload(50))
    expect(() => sendIntoPort(program(), ifindexOf('underlay'), frame)).toThrow('EINVAL')
  })
})

describe('a probe into a tunnel', () => {
  test.each([
    ['IPv4', vtep, '192.0.2.1'],
    ['IPv6', vtep6, '2001:db8::1'],
  ])('over %s is one VXLAN packet to the VTEP, of the size asked for, and is in no count', (_, to, from) => {
    const { verdicts } = rig.observe(() => sendIntoTunnel(program(), { ...probe, to: to as Ip }, 1400))
    const sent = rig.encapsulated()
    expect(sent).toMatchObject([{ from, to, vni, ttl: 64 }])
    expect(sent[0]!.inner.length).toBe(14 + 1400)
    expect(sent[0]!.inner.subarray(0, 62)).toEqual(probeFrame({ ...probe, to: to as Ip }))
    expect(sent[0]!.inner.subarray(62).every((byte) => byte === 0)).toBe(true)
    expect([verdicts, rig.maps.tunnels.entries()]).toEqual([[], []])
  })

  test('may be as large as a jumbo frame', () => {
    ip('link set underlay mtu 9500')
    sendIntoTunnel(program(), probe, 9000)
    expect(rig.encapsulated().map(({ inner }) => inner.length)).toEqual([9014])
    ip('link set underlay mtu 1500')
  })

  test('larger than the underlay takes does not leave', () => {
    try {
      sendIntoTunnel(program(), probe, 1451)
    } catch {
      // Kernels differ in whether they tell.
    }
    expect(rig.encapsulated()).toEqual([])
    sendIntoTunnel(program(), probe, 1450)
    expect(rig.encapsulated()).toHaveLength(1)
  })

  test('goes to no address that is no VTEP of the segment', () => {
    expect(() => sendIntoTunnel(program(), { ...probe, to: '198.51.100.99' as Ip }, 100)).toThrow(
      'EHOSTUNREACH',
    )
    expect(() => sendIntoTunnel(program(), { ...probe, vni: 7 }, 100)).toThrow('EHOSTUNREACH')
  })
})

/** Through the underlay, until a program has counted it. */
function receive(inner: Uint8Array, from = vtep) {
  const datagram = vxlan(vni, inner)
  const outer = from.includes(':')
    ? ipv6({ from, to: '2001:db8::1' }, datagram)
    : ipv4({ from, to: '192.0.2.1' }, datagram)
  const { verdicts } = rig.observe(() => {
    rig.underlay.send(ethernet({ from: mac(routerMac), to: mac(underlayMac) }, outer))
    readUntil(
      () => rig.countedPackets(),
      (packets) => packets > 0,
    )
  })
  return verdicts.map(({ reason }) => reason)
}

function grown(frame: Uint8Array, bytes: number): Uint8Array {
  const all = new Uint8Array(14 + bytes)
  all.set(frame)
  return all
}

describe('a probe from a tunnel', () => {
  test.each([
    ['IPv4', vtep],
    ['IPv6', vtep6],
  ])('over %s is taken in, told to the daemon with the size that came, and reaches no port', (_, from) => {
    expect(receive(grown(probeFrame(probe), 1200), from)).toEqual(['TAKE_PROBE'])
    expect(rig.takeProbes()).toMatchObject([
      {
        kind: EventKind.EVENT_PROBE,
        vni,
        vtep: from,
        size: 1200,
        header: { kind: 1, vni, sequence: 7, size: 1450, sentUs: 4_000_000_000, heldUs: 3, to: vtep },
      },
    ])
    expect(rig.ports.flatMap((port) => port.received())).toEqual([])
  })

  test.each([
    ['from a stranger', () => receive(probeFrame(probe), '198.51.100.99'), 'DROP_UNKNOWN_VTEP'],
    ['cut short', () => receive(probeFrame(probe).subarray(0, 13 + PROBE_BYTES)), 'DROP_LINK_LOCAL'],
    ['of another magic', () => receive(probeFrame(probe).fill(0, 14, 18)), 'DROP_LINK_LOCAL'],
    ['of another EtherType', () => receive(probeFrame(probe).fill(0, 12, 14)), 'DROP_LINK_LOCAL'],
    ['to another link-local address', () => receive(probeFrame(probe).fill(3, 5, 6)), 'DROP_LINK_LOCAL'],
  ])('%s is dropped and not told', (_, act, reason) => {
    expect(act()).toEqual([reason])
    expect(rig.takeProbes()).toEqual([])
  })
})

test('a probe from a port is dropped: stations cannot make any', () => {
  const { verdicts } = rig.observe(() => rig.ports[0].send(probeFrame(probe)))
  expect(verdicts).toMatchObject([{ program: 'PROGRAM_PORT_INGRESS', reason: 'DROP_LINK_LOCAL' }])
})

test('every reason that this file answers for has been seen', () => expectReasons(rig, 'probe'))

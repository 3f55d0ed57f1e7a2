import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FdbFlag, LossKind } from '../../src/node/bpf/abi.gen.js'
import { type CountedVerdict, DataplaneRig, TC_ACT_SHOT } from './dataplane-rig.js'
import {
  arp,
  broadcast,
  ethernet,
  ipv6,
  mac,
  neighbourSolicitation,
  type Packet,
  payload,
  readVxlan,
  vlan,
} from './frames.js'
import { expectReasons } from './reasons.js'
import { ip } from './rig-network.js'
import { alice, bob, otherVtep, ping, remote, vni, vtep, vtep6 } from './stations.js'
import { Tap } from './tap.js'
import { deliveredBy, receiveThrough, sendAndCount, type Through } from './through-tunnel.js'

let rig: DataplaneRig
let port1: number
let port2: number

beforeAll(() => {
  rig = new DataplaneRig()
  for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
  rig.attach(rig.tunnelIngress, 'weft-vxlan')
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  port1 = rig.addPort(rig.ports[0], vni)
  port2 = rig.addPort(rig.ports[1], vni)
  rig.addSegment(vni, { vteps: [vtep, vtep6], ports: [port1, port2] })
})

const pingFrame = ethernet({ from: remote, to: alice }, ping)
const request = ethernet(
  { from: remote, to: broadcast },
  arp({ from: remote, fromIp: '10.0.0.2', toIp: '10.0.0.1' }),
)

const receive = (inner: Uint8Array, opts: Through = {}) => receiveThrough(rig, inner, opts)

function counted(reason: string, frame: Uint8Array, inVni = vni): CountedVerdict[] {
  return [{ vni: inVni, program: 'PROGRAM_TUNNEL_INGRESS', reason, packets: 1, bytes: frame.length }]
}

/** What came out of the first two ports and, wrongly, of the tunnel. */
function delivered() {
  return {
    port1: rig.ports[0].received(),
    port2: rig.ports[1].received(),
    underlay: rig.encapsulated(),
  }
}

describe.each([
  ['IPv4', vtep],
  ['IPv6', vtep6],
])('from a known VTEP over %s', (_, from) => {
  test('unicast goes to the port where its destination was heard, and is counted for that tunnel', () => {
    rig.addLearned(vni, alice, port1)
    expect(receive(pingFrame, { from })).toEqual(counted('FORWARD_LOCAL', pingFrame))
    expect(deliveredBy(rig.ports[0])).toEqual([pingFrame])
    expect(delivered()).toEqual({ port1: [], port2: [], underlay: [] })
    expect(rig.maps.tunnels.getSummed({ vni, vtep: from as never })).toEqual({
      txPackets: 0,
      txBytes: 0,
      txFlooded: 0,
      rxPackets: 1,
      rxBytes: pingFrame.length,
      rxFlooded: 0,
      txFast: 0,
      rxFast: 0,
    })
  })

  test('BUM goes to every port and never into a tunnel', () => {
    expect(receive(request, { from })).toEqual(counted('FORWARD_FLOOD', request))
    expect(delivered()).toEqual({ port1: [request], port2: [request], underlay: [] })
    expect(rig.maps.tunnels.getSummed({ vni, vtep: from as never })).toMatchObject({
      rxPackets: 1,
      rxFlooded: 1,
      txFast: 0,
      rxFast: 0,
      txPackets: 0,
    })
  })

  test('unicast to an unknown destination goes to every port and never into a tunnel', () => {
    expect(receive(pingFrame, { from })).toEqual(counted('FORWARD_FLOOD', pingFrame))
    expect(delivered()).toEqual({ port1: [pingFrame], port2: [pingFrame], underlay: [] })
  })

  test.each([
    ['here', '::', FdbFlag.FDB_STATIC | FdbFlag.FDB_LOCAL],
    ['behind a third VTEP', otherVtep, FdbFlag.FDB_STATIC],
  ])('a source MAC that is declared %s is dropped', (_, where, flags) => {
    rig.addRemote(vni, remote, where, flags)
    rig.addLearned(vni, alice, port1)
    expect(receive(pingFrame, { from })).toEqual(counted('DROP_STATIC_ELSEWHERE', pingFrame))
    expect(delivered()).toEqual({ port1: [], port2: [], underlay: [] })
  })

  test('a source MAC that is declared behind that VTEP, or was learned behind another, is let in', () => {
    rig.addLearned(vni, alice, port1)
    rig.addRemote(vni, remote, from, FdbFlag.FDB_STATIC)
    expect(receive(pingFrame, { from })).toEqual(counted('FORWARD_LOCAL', pingFrame))
    rig.addRemote(vni, remote, otherVtep)
    expect(receive(pingFrame, { from })).toEqual(counted('FORWARD_LOCAL', pingFrame))
  })

  test('unicast to a MAC of another node does not go on to that node', () => {
    rig.addRemote(vni, alice, from === vtep ? vtep6 : vtep)
    expect(receive(pingFrame, { from })).toEqual(counted('FORWARD_FLOOD', pingFrame))
    expect(delivered().underlay).toEqual([])
  })

  const kinds: Record<string, Packet> = {
    IPv4: ping,
    'a neighbour solicitation': ipv6(
      { from: 'fd00::2', to: 'ff02::1:ff00:1', hopLimit: 255 },
      neighbourSolicitation({ from: remote, target: 'fd00::1' }),
    ),
    'an unknown protocol': payload(80),
    'a tagged frame': vlan(10, ping),
    'a frame with two tags': vlan(20, vlan(10, ping), 0x88a8),
    'the largest packet': payload(1430),
  }
  for (const [name, packet] of Object.entries(kinds)) {
    test(`${name} arrives as it was sent`, () => {
      rig.addLearned(vni, alice, port1)
      const frame = ethernet({ from: remote, to: alice }, packet)
      receive(frame, { from })
      expect(deliveredBy(rig.ports[0])).toEqual([frame])
    })
  }

  test('a frame from a group address is dropped', () => {
    const frame = ethernet({ from: broadcast, to: alice }, ping)
    expect(receive(frame, { from })).toEqual(counted('DROP_SOURCE_MAC', frame))
  })

  test('a frame to a link-local group is dropped', () => {
    const frame = ethernet({ from: remote, to: mac('01:80:c2:00:00:0e') }, payload(60))
    expect(receive(frame, { from })).toEqual(counted('DROP_LINK_LOCAL', frame))
  })

  test('nothing is learned: remote MACs are the word of the controller', () => {
    receive(request, { from })
    expect(rig.maps.learned.entries()).toEqual([])
    expect(rig.takeEvents()).toEqual([])
  })
})

describe('trust', () => {
  test('a VNI that this node does not serve is dropped under VNI 0', () => {
    expect(receive(pingFrame, { vni: 999 })).toEqual(counted('DROP_UNKNOWN_VNI', pingFrame, 0))
  })

  test.each(['198.51.100.66', '2001:db8:1::66'])('a stranger, %s, is dropped', (from) => {
    expect(receive(pingFrame, { from })).toEqual(counted('DROP_UNKNOWN_VTEP', pingFrame))
    expect(delivered()).toEqual({ port1: [], port2: [], underlay: [] })
  })

  test('a VTEP of another segment is a stranger in this one', () => {
    rig.addSegment(200, { vteps: ['198.51.100.3'] })
    expect(receive(pingFrame, { from: '198.51.100.3' })).toEqual(counted('DROP_UNKNOWN_VTEP', pingFrame))
  })

  test('a frame without tunnel metadata is dropped', () => {
    expect(rig.run(rig.tunnelIngress, pingFrame)).toEqual({
      action: TC_ACT_SHOT,
      verdicts: counted('DROP_TUNNEL_KEY', pingFrame, 0),
    })
  })

  test('a frame without an Ethernet header is dropped, as from a device that has none', () => {
    using tun = new Tap('tun0', { kind: 'tun' })
    ip('link set tun0 up')
    rig.attach(rig.tunnelIngress, 'tun0')
    const { verdicts } = rig.observe(() => tun.send(Uint8Array.of(0x45, 0, 0, 8)))
    expect(verdicts).toMatchObject([{ vni: 0, reason: 'DROP_MALFORMED', packets: 1, bytes: 4 }])
  })
})

describe('isolation', () => {
  test('the same MAC in two segments is two stations', () => {
    const port3 = rig.addPort(rig.ports[2], 200)
    rig.addSegment(200, { vteps: [vtep], ports: [port3] })
    rig.addLearned(vni, alice, port1)
    rig.addLearned(200, alice, port3)
    receive(pingFrame, { vni: 200 })
    expect(deliveredBy(rig.ports[2])).toEqual([pingFrame])
    expect(delivered().port1).toEqual([])
  })

  test('a device that changed segments gets nothing of its old one', () => {
    rig.addPort(rig.ports[0], 200)
    rig.addLearned(vni, alice, port1)
    expect(receive(pingFrame)).toEqual(counted('FORWARD_FLOOD', pingFrame))
    expect(delivered()).toEqual({ port1: [], port2: [pingFrame], underlay: [] })
    expect(rig.losses(LossKind.LOSS_COPY)).toBe(1)
  })

  test('BUM for a segment without ports is dropped', () => {
    rig.addSegment(vni, { vteps: [vtep] })
    expect(receive(request)).toEqual(counted('DROP_NO_MEMBER', request))
  })

  test('BUM is dropped, and its copies counted as lost, when no device takes one', () => {
    rig.addSegment(vni, { vteps: [vtep], ports: [99_999] })
    expect(receive(request)).toEqual(counted('DROP_NO_DEVICE', request))
    expect(rig.losses(LossKind.LOSS_COPY)).toBe(1)
  })
})

test('what port_ingress encapsulates, tunnel_ingress of another node would deliver unchanged', () => {
  const frame = ethernet({ from: alice, to: bob }, ping)
  rig.addRemote(vni, bob, vtep)
  rig.ports[0].send(frame)
  const outer = rig.underlay.received().find(readVxlan)

  // The same packet sent back, with its addresses changed over: this node is now the other one.
  rig.maps.fdb.delete({ vni, mac: bob })
  rig.addLearned(vni, bob, port2)
  const mirrored = Uint8Array.from(outer!)
  mirrored.set(outer!.subarray(0, 6), 6)
  mirrored.set(outer!.subarray(6, 12), 0)
  mirrored.set(outer!.subarray(26, 30), 30)
  mirrored.set(outer!.subarray(30, 34), 26)
  sendAndCount(rig, mirrored)
  expect(deliveredBy(rig.ports[1])).toEqual([frame])
})

test('the reasons that this file is there for were given', () => expectReasons(rig, 'tunnel-ingress'))

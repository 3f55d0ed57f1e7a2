import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { FdbFlag, LossKind } from '../../src/node/bpf/abi.gen.js'
import type { TestRunContext } from '../../src/node/bpf/test-run.js'
import { plainConfig, plainPortEntry } from '../../src/node/bpf/values.fixture.js'
import {
  type CountedVerdict,
  DataplaneRig,
  type Outcome,
  TC_ACT_REDIRECT,
  TC_ACT_SHOT,
} from './dataplane-rig.js'
import { arp, broadcast, ethernet, mac, payload } from './frames.js'
import { expectReasons } from './reasons.js'
import { ip } from './rig-network.js'
import { alice, aliceToBob, bob, otherVtep, ping, vni, vtep, vtep6 } from './stations.js'
import { Tap } from './tap.js'

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

/** Test run as if the frame had come in on port 1. */
function run(frame: Uint8Array, ctx: TestRunContext = {}): Outcome {
  return rig.run(rig.portIngress, frame, { ifindex: port1, ...ctx })
}

/** One verdict, of this frame, of this program. */
function counted(reason: string, frame: Uint8Array, inVni = vni): CountedVerdict[] {
  return [{ vni: inVni, program: 'PROGRAM_PORT_INGRESS', reason, packets: 1, bytes: frame.length }]
}

function dropped(reason: string, frame: Uint8Array, inVni = vni): Outcome {
  return { action: TC_ACT_SHOT, verdicts: counted(reason, frame, inVni) }
}

describe('unicast', () => {
  test('goes to the port where its destination was heard', () => {
    rig.addLearned(vni, bob, port2)
    expect(run(aliceToBob)).toEqual({
      action: TC_ACT_REDIRECT,
      verdicts: counted('FORWARD_LOCAL', aliceToBob),
    })
    rig.ports[0].send(aliceToBob)
    expect(rig.ports[1].received()).toEqual([aliceToBob])
    expect(rig.encapsulated()).toEqual([])
  })

  test('goes to the VTEP that the controller names, and is counted for that tunnel', () => {
    rig.addRemote(vni, bob, vtep)
    expect(run(aliceToBob)).toEqual({
      action: TC_ACT_REDIRECT,
      verdicts: counted('FORWARD_TUNNEL', aliceToBob),
    })
    expect(rig.maps.tunnels.getSummed({ vni, vtep: vtep as never })).toMatchObject({
      txPackets: 1,
      txBytes: aliceToBob.length,
      txFlooded: 0,
      rxPackets: 0,
    })
  })

  test('follows the controller where it and learning differ', () => {
    rig.addLearned(vni, bob, port2)
    rig.addRemote(vni, bob, vtep)
    expect(run(aliceToBob).verdicts).toEqual(counted('FORWARD_TUNNEL', aliceToBob))
  })

  test('is dropped when its destination is on the port it came from', () => {
    rig.addLearned(vni, bob, port1)
    expect(run(aliceToBob)).toEqual(dropped('DROP_SAME_PORT', aliceToBob))
  })

  test('is flooded to ports and VTEPs while its destination is unknown', () => {
    rig.ports[0].send(aliceToBob)
    expect(rig.ports[1].received()).toEqual([aliceToBob])
    expect(rig.encapsulated().map(({ inner }) => inner)).toEqual([aliceToBob])
  })

  test('is flooded to the ports only when its destination is silent on this node', () => {
    rig.maps.fdb.set({ vni, mac: bob }, { vtep: '::' as Ip, flags: FdbFlag.FDB_LOCAL, revision: 0 })
    expect(rig.observe(() => rig.ports[0].send(aliceToBob)).verdicts).toEqual(
      counted('FORWARD_FLOOD', aliceToBob),
    )
    expect(rig.ports[1].received()).toEqual([aliceToBob])
    expect(rig.encapsulated()).toEqual([])
  })

  test('never follows a learned MAC to a device that is now in another segment', () => {
    rig.addLearned(vni, bob, port2)
    rig.addPort(rig.ports[1], 200)
    rig.addSegment(vni, { ports: [port1] })
    expect(run(aliceToBob)).toEqual(dropped('DROP_NO_MEMBER', aliceToBob))
  })

  test('stays in its segment where two have the same MAC', () => {
    rig.addRemote(200, bob, otherVtep)
    rig.addRemote(vni, bob, vtep)
    rig.ports[0].send(aliceToBob)
    expect(rig.encapsulated()).toMatchObject([{ vni, to: vtep }])
  })

  test('is dropped while the VXLAN device is away', () => {
    rig.addRemote(vni, bob, vtep)
    rig.maps.config.set({ zero: 0 }, plainConfig)
    expect(run(aliceToBob)).toEqual(dropped('DROP_NO_TUNNEL', aliceToBob))
  })
})

describe('BUM', () => {
  const request = ethernet(
    { from: alice, to: broadcast },
    arp({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' }),
  )

  test('gets to each other port and each VTEP once, and not back', () => {
    const port3 = rig.addPort(rig.ports[2], vni)
    rig.addSegment(vni, { vteps: [vtep, otherVtep, vtep6], ports: [port1, port2, port3] })
    const { verdicts } = rig.observe(() => rig.ports[0].send(request))

    expect(verdicts).toEqual(counted('FORWARD_FLOOD', request))
    expect(rig.ports[0].received()).toEqual([])
    expect(rig.ports[1].received()).toEqual([request])
    expect(rig.ports[2].received()).toEqual([request])
    expect(rig.encapsulated()).toMatchObject([
      { to: vtep, vni, inner: request },
      { to: otherVtep, vni, inner: request },
      { to: vtep6, vni, inner: request },
    ])
    for (const to of [vtep, otherVtep, vtep6]) {
      expect(rig.maps.tunnels.getSummed({ vni, vtep: to as never })).toMatchObject({
        txPackets: 1,
        txBytes: request.length,
        txFlooded: 1,
      })
    }
  })

  test.each([64, 128])('gets to each of %i VTEPs, of both families, exactly once', (members) => {
    const vteps = Array.from({ length: members }, (_, i) =>
      i % 2 ? `198.51.100.${i + 1}` : `2001:db8:1::${(i + 1).toString(16)}`,
    )
    rig.addSegment(vni, { vteps, ports: [port1, port2] })
    rig.ports[0].send(request)
    expect(rig.encapsulated().map(({ to, inner }) => ({ to, inner }))).toEqual(
      vteps.map((to) => ({ to, inner: request })),
    )
    expect(rig.ports[1].received()).toEqual([request])
    expect(rig.maps.tunnels.entriesSummed().map(([, { txFlooded }]) => txFlooded)).toEqual(vteps.map(() => 1))
  })

  test('leaves out a VTEP that is no member any more, even when the flood list says so, and counts the copy', () => {
    rig.addSegment(vni, { vteps: [vtep, otherVtep], ports: [port1] })
    rig.maps.vteps.delete({ vni, vtep: otherVtep as Ip })
    rig.ports[0].send(request)
    expect(rig.encapsulated().map(({ to }) => to)).toEqual([vtep])
    expect(rig.losses(LossKind.LOSS_COPY)).toBe(1)
  })

  test('stays on the node when the segment does not replicate', () => {
    rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2], flags: 0 })
    rig.ports[0].send(request)
    expect(rig.ports[1].received()).toEqual([request])
    expect(rig.encapsulated()).toEqual([])
  })

  test('is dropped when nobody else is in the segment', () => {
    rig.addSegment(vni, { ports: [port1] })
    expect(run(request)).toEqual(dropped('DROP_NO_MEMBER', request))
  })

  test('is dropped when the only others are behind the VXLAN device and that is away', () => {
    rig.addSegment(vni, { vteps: [vtep], ports: [port1] })
    rig.maps.config.set({ zero: 0 }, plainConfig)
    expect(run(request)).toEqual(dropped('DROP_NO_TUNNEL', request))
    expect(rig.losses(LossKind.LOSS_COPY)).toBe(1)
  })

  test('is forwarded to the ports while the VXLAN device is away', () => {
    rig.maps.config.set({ zero: 0 }, plainConfig)
    expect(rig.observe(() => rig.ports[0].send(request)).verdicts).toEqual(counted('FORWARD_FLOOD', request))
    expect(rig.ports[1].received()).toEqual([request])
    expect(rig.losses(LossKind.LOSS_COPY)).toBe(1)
  })

  test('is dropped, and its copies counted as lost, when no device takes one', () => {
    const gone = 99_999
    rig.maps.ports.set({ ifindex: gone }, plainPortEntry(vni))
    rig.addSegment(vni, { ports: [port1, gone] })
    expect(run(request)).toEqual(dropped('DROP_NO_DEVICE', request))
    expect(rig.losses(LossKind.LOSS_COPY)).toBe(1)
  })

  test('never leaves by a device of another segment, even when the flood list says so', () => {
    const port3 = rig.addPort(rig.ports[2], 200)
    rig.addSegment(vni, { ports: [port1, port3] })
    rig.ports[0].send(request)
    expect(rig.ports[2].received()).toEqual([])
    expect(rig.losses(LossKind.LOSS_COPY)).toBe(1)
  })

  test('goes on to the members that are left when one copy is lost', () => {
    rig.addSegment(vni, { vteps: [vtep], ports: [port1, 99_999, port2] })
    expect(rig.observe(() => rig.ports[0].send(request)).verdicts).toEqual(counted('FORWARD_FLOOD', request))
    expect(rig.ports[1].received()).toEqual([request])
    expect(rig.encapsulated()).toHaveLength(1)
  })
})

describe('a frame that may not enter', () => {
  test('on a device that is no port is dropped', () => {
    expect(rig.run(rig.portIngress, aliceToBob)).toEqual(dropped('DROP_UNKNOWN_PORT', aliceToBob, 0))
  })

  test('in a segment that is not there yet is dropped', () => {
    rig.maps.segments.delete({ vni })
    expect(run(aliceToBob)).toEqual(dropped('DROP_UNKNOWN_SEGMENT', aliceToBob))
  })

  test.each(['01:00:5e:00:00:01', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00'])('from %s is dropped', (from) => {
    const frame = ethernet({ from: mac(from), to: bob }, ping)
    expect(run(frame)).toEqual(dropped('DROP_SOURCE_MAC', frame))
    expect(rig.maps.learned.entries()).toEqual([])
  })

  test.each(['01:80:c2:00:00:00', '01:80:c2:00:00:0e', '01:80:c2:00:00:0f'])('to %s is dropped', (to) => {
    const frame = ethernet({ from: alice, to: mac(to) }, payload(46, 0x0026))
    expect(run(frame)).toEqual(dropped('DROP_LINK_LOCAL', frame))
  })

  test('to a group next to the link-local ones is not dropped', () => {
    const frame = ethernet({ from: alice, to: mac('01:80:c2:00:00:10') }, payload(46))
    expect(run(frame).verdicts).toEqual(counted('FORWARD_FLOOD', frame))
  })

  test('from a MAC that is static on another node is dropped, and not learned', () => {
    rig.addRemote(vni, alice, vtep, FdbFlag.FDB_STATIC)
    expect(run(aliceToBob)).toEqual(dropped('DROP_STATIC_ELSEWHERE', aliceToBob))
    expect(rig.maps.learned.entries()).toEqual([])
    expect(rig.takeEvents()).toEqual([])
  })

  test('from a MAC that is static on this node enters', () => {
    const flags = FdbFlag.FDB_STATIC | FdbFlag.FDB_LOCAL
    rig.maps.fdb.set({ vni, mac: alice }, { vtep: '::' as Ip, flags, revision: 0 })
    expect(run(aliceToBob).verdicts).toEqual(counted('FORWARD_FLOOD', aliceToBob))
  })

  test('larger than the segment takes is dropped', () => {
    const frame = ethernet({ from: alice, to: bob }, payload(1451))
    expect(run(frame)).toEqual(dropped('DROP_OVER_MTU', frame))
  })

  test('without an Ethernet header is dropped, as from a device that has none', () => {
    using tun = new Tap('tun0', { kind: 'tun' })
    ip('link set tun0 up')
    rig.attach(rig.portIngress, 'tun0')
    const { verdicts } = rig.observe(() => tun.send(Uint8Array.of(0x45, 0, 0, 8)))
    expect(verdicts).toMatchObject([{ vni: 0, reason: 'DROP_MALFORMED', packets: 1, bytes: 4 }])
  })
})

test('the reasons that this file is there for were given', () => expectReasons(rig, 'port-ingress'))

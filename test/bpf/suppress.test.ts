import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import type { Mac } from '../../src/model/mac.js'
import { NeighborFlag, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { DataplaneRig } from './dataplane-rig.js'
import { broadcast, ethernet, ipv4, ipv6, mac, udp, vlan } from './frames.js'
import {
  advertisement,
  arpOperation,
  arpPacket,
  asksAll,
  linkOption,
  ndFlag,
  solicitation,
} from './neighbor-frames.js'
import { expectReasons } from './reasons.js'
import { alice, bob, remote, vni, vtep } from './stations.js'

const { SEGMENT_FLOOD_REPLICATE, SEGMENT_LEARN_PORTS, SEGMENT_SUPPRESS } = SegmentFlag
const flags = SEGMENT_FLOOD_REPLICATE | SEGMENT_LEARN_PORTS | SEGMENT_SUPPRESS

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
  rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2], flags })
  rig.addRemote(vni, remote, vtep)
})

function know(ip: string, at: Mac, more = 0): void {
  rig.maps.neighbors.set({ vni, ip: ip as Ip }, { mac: at, flags: more, revision: 1 })
}

/** The verdicts on a frame from port 1, and what came back there. */
function send(frame: Uint8Array) {
  const { verdicts } = rig.observe(() => rig.ports[0].send(frame))
  return { reasons: verdicts.map(({ reason }) => reason), back: rig.ports[0].received() }
}

const forwarded = { reasons: ['FORWARD_FLOOD'], back: [] }
const whoHas = (toIp: string, more = {}) =>
  ethernet({ from: alice, to: broadcast }, arpPacket({ from: alice, fromIp: '10.0.0.1', toIp, ...more }))
const asks6 = (target: string, more = {}) => asksAll({ from: alice, fromIp: 'fd00::1', target, ...more })

const isAt = (ip: string, at: Mac) =>
  ethernet(
    { from: at, to: alice },
    arpPacket({ operation: arpOperation.reply, from: at, fromIp: ip, to: alice, toIp: '10.0.0.1' }),
  )
const advertises = (target: string, at: Mac, more: number = 0) =>
  ethernet(
    { from: at, to: alice },
    ipv6(
      { from: target, to: 'fd00::1', hopLimit: 255 },
      advertisement({
        target,
        flags: ndFlag.solicited | ndFlag.override | more,
        options: [linkOption(2, at)],
      }),
    ),
  )

describe('a known neighbour is answered for', () => {
  beforeEach(() => {
    know('10.0.0.2', remote)
    know('fd00::2', remote)
  })

  test('in ARP, byte for byte as it would itself', () => {
    expect(send(whoHas('10.0.0.2'))).toEqual({
      reasons: ['ANSWER_NEIGHBOR'],
      back: [isAt('10.0.0.2', remote)],
    })
    expect(rig.ports[1].received()).toEqual([])
    expect(rig.encapsulated()).toEqual([])
  })

  test('in ARP without padding', () => {
    const { reasons, back } = send(whoHas('10.0.0.2').subarray(0, 42))
    expect(reasons).toEqual(['ANSWER_NEIGHBOR'])
    expect(back).toEqual([isAt('10.0.0.2', remote).subarray(0, 42)])
  })

  test('in ND, byte for byte as it would itself', () => {
    expect(send(asks6('fd00::2'))).toEqual({
      reasons: ['ANSWER_NEIGHBOR'],
      back: [advertises('fd00::2', remote)],
    })
    expect(rig.encapsulated()).toEqual([])
  })

  test('in ND behind other options, and as a router when it is one', () => {
    know('fd00::2', remote, NeighborFlag.NEIGHBOR_ROUTER)
    const nonce = Uint8Array.of(14, 1, 1, 2, 3, 4, 5, 6)
    expect(send(asks6('fd00::2', { options: [nonce, linkOption(1, alice)] })).back).toEqual([
      advertises('fd00::2', remote, ndFlag.router),
    ])
  })

  test('only in its own segment', () => {
    rig.addPort(rig.ports[0], 200)
    rig.addSegment(200, { vteps: [vtep], flags })
    expect(send(whoHas('10.0.0.2'))).toEqual(forwarded)
  })

  test('only where the segment says so', () => {
    rig.addSegment(vni, { vteps: [vtep], flags: SEGMENT_FLOOD_REPLICATE })
    expect(send(whoHas('10.0.0.2'))).toEqual(forwarded)
    expect(rig.maps.snooped.entries()).toEqual([])
  })
})

describe('is forwarded, although the neighbour is known,', () => {
  beforeEach(() => {
    for (const ip of ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2']) know(ip, remote)
  })
  const nd = (to: Mac, at: { from?: string; to?: string; hopLimit?: number }, segment = ask()) =>
    ethernet(
      { from: alice, to },
      ipv6({ from: 'fd00::1', to: 'ff02::1:ff00:2', hopLimit: 255, ...at }, segment),
    )
  const ask = (...options: Uint8Array[]) =>
    solicitation({ target: 'fd00::2', options: options.length ? options : [linkOption(1, alice)] })
  const group = mac('33:33:ff:00:00:02')

  test.each([
    ['a gratuitous request', whoHas('10.0.0.1')],
    ['a gratuitous reply', whoHas('10.0.0.1', { operation: arpOperation.reply })],
    ['a probe', whoHas('10.0.0.2', { fromIp: '0.0.0.0' })],
    [
      'a request behind a tag',
      ethernet(
        { from: alice, to: broadcast },
        vlan(5, arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' })),
      ),
    ],
    ['a request in the name of another MAC', whoHas('10.0.0.2', { from: bob })],
    ['a request of another network', whoHas('10.0.0.2', { hardware: 6 })],
    ['a request for no station', whoHas('224.0.0.1')],
    ['a request of RARP', whoHas('10.0.0.2', { etherType: 0x8035 })],
    ['duplicate address detection', asksAll({ from: alice, fromIp: '::', target: 'fd00::2', options: [] })],
    [
      'a solicitation without a MAC',
      asksAll({ from: alice, fromIp: 'fd00::1', target: 'fd00::2', options: [] }),
    ],
    ['a solicitation in the name of another MAC', asks6('fd00::2', { options: [linkOption(1, bob)] })],
    ['a solicitation of itself', asks6('fd00::1')],
    ['a solicitation for a group', asks6('ff02::2')],
    ['a solicitation from afar', nd(group, { hopLimit: 254 })],
    ['a solicitation to another group', nd(group, { to: 'ff02::1:ff00:3' })],
    ['a solicitation to all nodes', nd(mac('33:33:00:00:00:01'), { to: 'ff02::1' })],
    ['a solicitation with two MACs', nd(group, {}, ask(linkOption(1, alice), linkOption(1, bob)))],
    ['a solicitation with an endless option', nd(group, {}, ask(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)))],
    [
      'an advertisement',
      ethernet(
        { from: alice, to: mac('33:33:00:00:00:01') },
        ipv6(
          { from: 'fd00::1', to: 'ff02::1', hopLimit: 255 },
          advertisement({ target: 'fd00::1', flags: ndFlag.override, options: [linkOption(2, alice)] }),
        ),
      ),
    ],
    [
      'a datagram',
      ethernet(
        { from: alice, to: broadcast },
        ipv4({ from: '10.0.0.1', to: '10.0.0.255' }, udp({ from: 1, to: 2 })),
      ),
    ],
  ])('%s', (_, frame) => {
    expect(send(frame)).toEqual(forwarded)
    expect(rig.ports[1].received()).toEqual([frame])
  })

  test('what asks that station itself', () => {
    const unicast = ethernet(
      { from: alice, to: remote },
      arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' }),
    )
    expect(send(unicast)).toEqual({ reasons: ['FORWARD_TUNNEL'], back: [] })
    expect(send(nd(remote, { to: 'fd00::2' }))).toEqual({ reasons: ['FORWARD_TUNNEL'], back: [] })
  })

  test('a question of the very station that the address is said to be at', () => {
    know('10.0.0.9', alice)
    expect(send(whoHas('10.0.0.9'))).toEqual(forwarded)
  })

  test('a question about an address that nobody knows', () => {
    expect(send(whoHas('10.0.0.3'))).toEqual(forwarded)
    expect(send(asks6('fd00::3'))).toEqual(forwarded)
  })
})

describe('a damaged question is never answered', () => {
  beforeEach(() => {
    know('10.0.0.2', remote)
    know('fd00::2', remote)
  })
  const arp = whoHas('10.0.0.2').subarray(0, 42)
  const nd = asks6('fd00::2')
  const cuts = (frame: Uint8Array) => Array.from(frame.keys()).filter((length) => length >= 14)

  test.each(cuts(arp))('ARP that ends after %i bytes', (length) => {
    expect(send(arp.subarray(0, length))).toEqual(forwarded)
  })

  test.each(cuts(nd))('ND that ends after %i bytes', (length) => {
    expect(send(nd.subarray(0, length))).toEqual(forwarded)
  })

  // Traffic class and flow label say nothing, and no checksum covers them.
  test.each(cuts(nd).filter((at) => at < 14 || at > 17))('ND with byte %i changed', (at) => {
    const { reasons, back } = send(nd.with(at, nd[at]! ^ 1))
    expect({ at, reasons, back }).toEqual({ at, ...forwarded })
  })
})

describe('a neighbour on the port of the asker', () => {
  const answers = () => send(whoHas('10.0.0.2'))

  test('heard the question itself: it is neither answered nor forwarded', () => {
    know('10.0.0.2', bob)
    rig.addLearned(vni, bob, port1)
    expect(answers()).toEqual({ reasons: ['DROP_SUPPRESSED'], back: [] })
    rig.addLearned(vni, bob, port2)
    expect(answers().reasons).toEqual(['ANSWER_NEIGHBOR'])
  })

  test('is elsewhere when the controller says so', () => {
    know('10.0.0.2', bob)
    rig.addLearned(vni, bob, port1)
    rig.addRemote(vni, bob, vtep)
    expect(answers().reasons).toEqual(['ANSWER_NEIGHBOR'])
  })
})

test('the reasons that the list promises were caused here', () => expectReasons(rig, 'suppress'))

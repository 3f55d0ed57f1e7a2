import { describe, expect, test } from 'vitest'
import { EventKind, LossKind, MacEventFlag, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { broadcast, ethernet, ipv6, mac, type Packet, vlan } from './frames.js'
import { from, movingStation, type Place } from './moving-station.js'
import { advertisement as advertised, arpPacket, linkOption } from './neighbor-frames.js'
import { alice, bob, ping, vni, vtep } from './stations.js'

const station = movingStation()
const { speak, at, heard } = station
const port1 = 0

describe('an announcement', () => {
  const allNodes = mac('33:33:00:00:00:01')
  const own = { from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.1' }
  const advertisement = (flags: number, hopLimit = 255) =>
    ipv6(
      { from: 'fd00::1', to: 'ff02::1', hopLimit },
      advertised({ target: 'fd00::1', flags, options: [linkOption(2, alice)] }),
    )
  const toAll = (packet: Packet) => ethernet({ from: alice, to: broadcast }, packet)
  const rarp = arpPacket({ from: alice, fromIp: '0.0.0.0', toIp: '0.0.0.0', operation: 3, etherType: 0x8035 })

  const announcements: Record<string, Uint8Array> = {
    'a gratuitous ARP request': toAll(arpPacket(own)),
    'a gratuitous ARP reply': toAll(arpPacket({ ...own, operation: 2 })),
    'a reverse ARP request': toAll(rarp),
    'an unsolicited advertisement': ethernet({ from: alice, to: allNodes }, advertisement(0x20)),
    'an unsolicited advertisement of a router': ethernet({ from: alice, to: allNodes }, advertisement(0xa0)),
    'a tagged gratuitous ARP request': toAll(vlan(10, arpPacket(own))),
  }
  const badLengths = arpPacket(own)
  badLengths.bytes[4] = 8
  const others: Record<string, Uint8Array> = {
    'an ARP request for another': toAll(arpPacket({ ...own, toIp: '10.0.0.2' })),
    'an ARP probe': toAll(arpPacket({ ...own, fromIp: '0.0.0.0' })),
    'ARP for the unspecified address': toAll(arpPacket({ ...own, fromIp: '0.0.0.0', toIp: '0.0.0.0' })),
    'ARP of another sender': toAll(arpPacket({ ...own, from: bob })),
    'ARP of odd address lengths': toAll(badLengths),
    'gratuitous ARP to one station': ethernet({ from: alice, to: bob }, arpPacket(own)),
    'reverse ARP for another station': toAll({
      ...arpPacket({ ...own, from: bob, operation: 3 }),
      etherType: 0x8035,
    }),
    'a solicited advertisement': ethernet({ from: alice, to: allNodes }, advertisement(0x60)),
    'an advertisement from beyond the link': ethernet(
      { from: alice, to: allNodes },
      advertisement(0x20, 254),
    ),
    'any other broadcast': toAll(ping),
    'gratuitous ARP cut short': toAll(arpPacket(own)).subarray(0, 41),
    'an advertisement cut short': ethernet({ from: alice, to: allNodes }, advertisement(0x20)).subarray(
      0,
      61,
    ),
  }

  describe.each<[string, Place, Place]>([
    ['on a port', port1, vtep],
    ['behind a VTEP', vtep, port1],
  ])('%s', (_, here, there) => {
    for (const [name, frame] of Object.entries(announcements)) {
      test(`${name} moves its MAC back at once, and is told as one`, () => {
        speak(here)
        speak(there)
        station.rig.takeEvents()
        expect(speak(here, frame)).toBe('FORWARD_FLOOD')
        expect(heard()).toMatchObject({ ...at(here), ...from(at(there)), moves: 2 })
        expect(station.rig.takeEvents()).toMatchObject([
          { kind: EventKind.EVENT_MAC_MOVED, flags: MacEventFlag.MAC_ANNOUNCED, ...at(here) },
        ])
      })
    }
    for (const [name, frame] of Object.entries(others)) {
      test(`${name} is none`, () => {
        speak(here)
        speak(there)
        station.rig.takeEvents()
        speak(here, frame)
        expect(heard()).toMatchObject({ ...at(there), moves: 1 })
        expect(station.rig.losses(LossKind.LOSS_LATE)).toBe(1)
      })
    }
  })

  const gratuitous = announcements['a gratuitous ARP request']!

  test('of a new MAC on a port is told as one', () => {
    speak(port1, gratuitous)
    expect(station.rig.takeEvents()).toMatchObject([
      { kind: EventKind.EVENT_MAC_LEARNED, flags: MacEventFlag.MAC_ANNOUNCED, ...at(port1) },
    ])
  })

  test('of a MAC that the controller has on another node is told at once, each time', () => {
    station.segment({ flags: SegmentFlag.SEGMENT_LEARN_PORTS })
    speak(port1)
    station.rig.addRemote(vni, alice, vtep)
    station.rig.takeEvents()
    speak(port1)
    expect(station.rig.takeEvents()).toEqual([])
    for (let i = 0; i < 2; i++) speak(port1, gratuitous)
    const told = { kind: EventKind.EVENT_MAC_LEARNED, flags: MacEventFlag.MAC_ANNOUNCED, ...at(port1) }
    expect(station.rig.takeEvents()).toMatchObject([told, told])
  })

  test('of a MAC that is where it was says nothing new', () => {
    speak(port1)
    const entry = heard()
    station.rig.takeEvents()
    speak(port1, gratuitous)
    expect(heard()).toEqual(entry)
    expect(station.rig.takeEvents()).toEqual([])
  })
})

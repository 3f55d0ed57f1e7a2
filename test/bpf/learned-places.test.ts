import { describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { EventKind } from '../../src/node/bpf/abi.gen.js'
import { ethernet } from './frames.js'
import { dataplane, from, movingStation, now, nowhere, type Place, second } from './moving-station.js'
import { alice, bob, otherVtep, ping, vni, vtep, vtep6 } from './stations.js'

const station = movingStation()
const { speak, at, heard } = station
const [port1, port2] = [0, 1]

describe('ageing', () => {
  const bobTo = ethernet({ from: bob, to: alice }, ping)
  const age = (seconds: number) => station.change({ seenNs: now() - seconds * second })

  test.each<[string, Place, string]>([
    ['on a port', port2, 'FORWARD_LOCAL'],
    ['behind a VTEP', vtep, 'FORWARD_TUNNEL'],
  ])('makes a MAC %s unknown when its time is over, and not before', (_, place, known) => {
    speak(place)
    age(290)
    expect(speak(port1, bobTo)).toBe(known)
    age(301)
    expect(speak(port1, bobTo)).toBe('FORWARD_FLOOD')
  })

  test('follows the time of the segment; 0 is for ever', () => {
    speak(port2)
    age(100)
    station.segment({ ageingS: 60 })
    expect(speak(port1, bobTo)).toBe('FORWARD_FLOOD')
    age(1_000_000)
    station.segment({ ageingS: 0 })
    expect(speak(port1, bobTo)).toBe('FORWARD_LOCAL')
  })

  test('holds for frames out of tunnels too', () => {
    speak(port2)
    age(301)
    expect(speak(vtep, bobTo)).toBe('FORWARD_FLOOD')
  })

  test.each<[string, Place]>([
    ['the same port', port1],
    ['another port', port2],
  ])('makes a MAC that speaks on %s afterwards a new one, not a moved one', (_, place) => {
    speak(port1)
    age(301)
    station.rig.takeEvents()
    speak(place)
    expect(heard()).toMatchObject({ ...at(place), ...from(nowhere), moves: 0 })
    expect(station.rig.takeEvents()).toMatchObject([{ kind: EventKind.EVENT_MAC_LEARNED, ...at(place) }])
  })
})

describe('unicast to a learned VTEP', () => {
  const bobTo = ethernet({ from: bob, to: alice }, ping)

  test.each([vtep, vtep6])('leaves for it alone: %s', (behind) => {
    speak(behind)
    for (const tap of [...station.rig.ports, station.rig.underlay]) tap.received()
    station.rig.ports[0].send(bobTo)
    expect(station.rig.encapsulated()).toMatchObject([{ vni, to: behind, inner: bobTo }])
    expect(station.rig.ports[1].received()).toEqual([])
    expect(station.rig.maps.tunnels.getSummed({ vni, vtep: behind as Ip })).toMatchObject({
      txPackets: 1,
      txFlooded: 0,
    })
  })

  test('is flooded when that VTEP has left the segment', () => {
    speak(vtep)
    station.rig.maps.vteps.delete({ vni, vtep: vtep as Ip })
    expect(speak(port1, bobTo)).toBe('FORWARD_FLOOD')
  })

  test('yields to the word of the controller', () => {
    speak(vtep)
    station.rig.addRemote(vni, alice, otherVtep)
    station.rig.underlay.received()
    station.rig.ports[0].send(bobTo)
    expect(station.rig.encapsulated()).toMatchObject([{ to: otherVtep }])
  })

  test('never goes from tunnel to tunnel', () => {
    speak(vtep)
    station.rig.underlay.received()
    expect(speak(otherVtep, bobTo)).toBe('FORWARD_FLOOD')
    expect(station.rig.encapsulated()).toEqual([])
  })

  test('stays in its segment', () => {
    speak(vtep)
    const ifindex = station.rig.addPort(station.rig.ports[2], 200)
    station.rig.addSegment(200, { vteps: [vtep], ports: [ifindex], flags: dataplane })
    const { verdicts } = station.rig.run(station.rig.portIngress, bobTo, { ifindex })
    expect(verdicts).toMatchObject([{ vni: 200, reason: 'FORWARD_FLOOD' }])
  })
})

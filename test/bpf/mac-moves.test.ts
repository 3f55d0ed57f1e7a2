import { describe, expect, test } from 'vitest'
import { EventKind, FdbFlag, LossKind, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { from, movingStation, now, nowhere, type Place, second } from './moving-station.js'
import { alice, otherVtep, vni, vtep, vtep6 } from './stations.js'

const station = movingStation()
const { speak, at, heard } = station
const [port1, port2, port3] = [0, 1, 2]

describe('learning from tunnels', () => {
  test.each([vtep, vtep6])('writes behind which VTEP a MAC is: %s', (behind) => {
    speak(behind)
    const entry = heard()!
    expect(entry).toMatchObject({ ...at(behind), ...from(nowhere), moves: 0, seenNs: entry.sinceNs })
    expect(now() - entry.sinceNs).toBeLessThan(10 * second)
  })

  test('tells nothing of what is new there', () => {
    speak(vtep)
    expect(station.rig.takeEvents()).toEqual([])
  })

  test('takes nothing from a stranger', () => {
    expect(speak('198.51.100.66')).toBe('DROP_UNKNOWN_VTEP')
    expect(heard()).toBeUndefined()
  })

  test('refreshes an entry once a second', () => {
    speak(vtep)
    const { seenNs } = heard()!
    station.change({ seenNs: seenNs - 2 * second })
    speak(vtep)
    expect(heard()!.seenNs).toBeGreaterThanOrEqual(seenNs)
  })

  test('is off where the segment says so', () => {
    station.segment({ flags: SegmentFlag.SEGMENT_LEARN_PORTS })
    speak(vtep)
    expect(heard()).toBeUndefined()
  })

  test.each([
    ['behind another VTEP', otherVtep, FdbFlag.FDB_STATIC],
    ['on this node', '::', FdbFlag.FDB_STATIC | FdbFlag.FDB_LOCAL],
  ])('never moves a MAC that is static %s', (_, where, flags) => {
    station.rig.addRemote(vni, alice, where, flags)
    expect(speak(vtep)).toBe('DROP_STATIC_ELSEWHERE')
    expect(heard()).toBeUndefined()
  })
})

describe('a move', () => {
  const moves: [string, Place, Place][] = [
    ['from port to port', port1, port2],
    ['from a port to a VTEP', port1, vtep],
    ['from a VTEP to a port', vtep, port1],
    ['from VTEP to VTEP', vtep, otherVtep],
    ['from a VTEP to one of IPv6', vtep, vtep6],
  ]
  test.each(moves)('%s is written, with the place before, and told', (_, before, after) => {
    speak(before)
    station.rig.takeEvents()
    speak(after)
    const entry = heard()!
    expect(entry).toMatchObject({ ...at(after), ...from(at(before)), moves: 1 })
    expect(station.rig.takeEvents()).toEqual([
      {
        kind: EventKind.EVENT_MAC_MOVED,
        vni,
        mac: alice,
        flags: 0,
        atNs: entry.sinceNs,
        ...at(after),
        ...from(at(before)),
      },
    ])
  })

  test.each(moves)('%s is not undone by a late frame, which goes on and is counted', (_, before, after) => {
    speak(before)
    speak(after)
    const moved = heard()
    station.rig.takeEvents()
    expect(speak(before)).toBe('FORWARD_FLOOD')
    expect(heard()).toEqual(moved)
    expect(station.rig.losses(LossKind.LOSS_LATE)).toBe(1)
    expect(station.rig.takeEvents()).toEqual([])
  })

  test.each(moves)('%s is undone when it was more than a second ago', (_, before, after) => {
    speak(before)
    speak(after)
    station.outlastHold()
    speak(before)
    expect(heard()).toMatchObject({ ...at(before), ...from(at(after)), moves: 2 })
    expect(station.rig.losses(LossKind.LOSS_LATE)).toBe(0)
  })

  test('to a third place is none that is late', () => {
    speak(port1)
    speak(port2)
    speak(port3)
    expect(heard()).toMatchObject({ ...at(port3), ...from(at(port2)), moves: 2 })
  })

  test('takes room on the port it comes to, and none behind a VTEP', () => {
    speak(vtep)
    speak(port1)
    station.outlastHold()
    speak(vtep)
    const states = station.rig.maps.portStates.entries()
    expect(states).toEqual([[{ ifindex: at(port1).ifindex }, { bumUntilNs: 0, macsLearned: 1 }]])
  })
})

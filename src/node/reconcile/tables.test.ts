import { describe, expect, it } from 'vitest'
import { parseMac } from '../../model/mac.js'
import { plainPort } from '../../model/segment.fixture.js'
import { FdbFlag, SegmentFlag } from '../bpf/abi.gen.js'
import { plainPortEntry } from '../bpf/values.fixture.js'
import { nodeState } from './node-state.fixture.js'
import type { PlacedPort } from './placement.js'
import { fdbValue, sameFdbValue, wantedPorts, wantedSegments, wantedVteps } from './tables.js'

const placed = (ifindex: number, vni: number): PlacedPort => ({
  ...plainPort(`tap${ifindex}`, vni),
  ifindex,
  mtu: 1450,
  device: { ifindex, name: `tap${ifindex}`, mtu: 1450, up: true },
})

describe('wantedPorts', () => {
  it('maps each device to its segment and MTU', () => {
    const state = nodeState({ segments: [{ vni: 7 }] })
    expect(wantedPorts(state, [placed(4, 7)]).entries).toEqual([[{ ifindex: 4 }, plainPortEntry(7)]])
  })
})

describe('wantedSegments', () => {
  it('floods to the other members and to the local ports, never to this node itself', () => {
    const state = nodeState({ segments: [{ vni: 7, members: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] }] })
    expect(wantedSegments(state, [placed(9, 7), placed(4, 7), placed(5, 8)]).entries).toEqual([
      [
        { vni: 7 },
        {
          flags: SegmentFlag.SEGMENT_FLOOD_REPLICATE | SegmentFlag.SEGMENT_LEARN_PORTS,
          ageingS: 300,
          group: '::',
          vtepCount: 2,
          portCount: 2,
          vtep: ['10.0.0.2', '10.0.0.3'],
          port: [4, 9],
        },
      ],
    ])
  })

  it('carries what the segment does not do', () => {
    const state = nodeState({ segments: [{ vni: 7, flood: false, learn: false }] })
    expect(wantedSegments(state, []).entries[0]![1].flags).toBe(0)
  })

  it('cuts a flood list that is too long, and says so', () => {
    const members = Array.from({ length: 200 }, (_, i) => `10.0.1.${i}`)
    const { entries, failures } = wantedSegments(nodeState({ segments: [{ vni: 7, members }] }), [])
    expect(entries[0]![1].vtepCount).toBe(128)
    expect(failures).toMatchObject([{ code: 'W-2106', what: 'network net7' }])
  })
})

describe('wantedVteps', () => {
  it('lets in members and whoever has a MAC, by segment, but not this node itself; VNI 0 has all', () => {
    const state = nodeState({
      segments: [
        { vni: 7, entries: [['02:00:00:00:00:01', '10.0.0.9']] },
        { vni: 8, members: ['10.0.0.1'], entries: [['02:00:00:00:00:02', '10.0.0.1']] },
      ],
    })
    expect(wantedVteps(state).entries.map(([key]) => `${key.vni} ${key.vtep}`)).toEqual([
      '7 10.0.0.2',
      '7 10.0.0.9',
      '0 10.0.0.1',
      '0 10.0.0.2',
      '0 10.0.0.9',
    ])
  })
})

describe('fdbValue', () => {
  const state = nodeState({
    segments: [
      {
        vni: 7,
        entries: [
          ['02:00:00:00:00:01', '10.0.0.1', true],
          ['02:00:00:00:00:02', '10.0.0.2'],
        ],
      },
    ],
  })
  const self = state.assignment.vtep
  const entry = (mac: string) => state.segments.get(7)!.entries.get(parseMac(mac)!)!

  it('makes what is at this node local, and keeps the VTEP of the rest', () => {
    expect(fdbValue(entry('02:00:00:00:00:01'), self, 9n)).toEqual({
      vtep: '::',
      flags: FdbFlag.FDB_LOCAL | FdbFlag.FDB_STATIC,
      revision: 9,
    })
    expect(fdbValue(entry('02:00:00:00:00:02'), self, 9n)).toEqual({
      vtep: '10.0.0.2',
      flags: 0,
      revision: 9,
    })
  })

  it('knows a kernel entry that is no longer what was written', () => {
    const want = entry('02:00:00:00:00:02')
    expect(sameFdbValue(want, self, fdbValue(want, self, 9n))).toBe(true)
    expect(sameFdbValue(want, self, { vtep: self, flags: 0, revision: 9 })).toBe(false)
    expect(sameFdbValue(want, self, { ...fdbValue(want, self, 9n), flags: FdbFlag.FDB_STATIC })).toBe(false)
  })
})

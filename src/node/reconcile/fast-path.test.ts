import { expect, test } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { parseMac } from '../../model/mac.js'
import type { NodeState } from '../../model/segment-table.js'
import { decideFastPath } from './fast-path.js'
import { nodeState } from './node-state.fixture.js'
import type { Device } from './placement.js'

const eth0: Device = { ifindex: 7, name: 'eth0', mtu: 1500, up: true, mac: parseMac('02:00:00:00:00:01')! }
const devices = new Map([['eth0', eth0]])

function wanting(...fastPaths: boolean[]): NodeState {
  const state = nodeState({ segments: fastPaths.map((_, i) => ({ vni: 100 + i })) })
  const segments = [...state.segments.values()].map(
    (table, i) => [table.vni, { ...table, spec: { ...table.spec, fast_path: fastPaths[i]! } }] as const,
  )
  return { ...state, segments: new Map(segments) }
}

test('it runs on the underlay device as soon as one network wants it', () => {
  const decided = decideFastPath(wanting(false, true), devices, undefined)
  expect(decided).toEqual({ state: 'on', ifindex: 7, interface: 'eth0' })
})

test('nothing is on the underlay device when no network wants it', () => {
  const decided = decideFastPath(wanting(false, false), devices, undefined)
  expect(decided).toEqual({ state: 'off', reason: 'no network wants it' })
})

test('what the kernel lacks is the reason, before any other', () => {
  expect(decideFastPath(wanting(false), new Map(), 'too old')).toEqual({ state: 'off', reason: 'too old' })
})

test.each<[string, Partial<NodeState['assignment']>, ReadonlyMap<string, Device>]>([
  ['no underlay', { underlay_dev: '' }, devices],
  ['underlay device eth9 does not exist', { underlay_dev: 'eth9' }, devices],
  ['the underlay is IPv6', { vtep: 'fd00::1' as Ip }, devices],
  [
    'underlay device wg0 carries no Ethernet',
    { underlay_dev: 'wg0' },
    new Map([['wg0', { ifindex: 8, name: 'wg0', mtu: 1420, up: true }]]),
  ],
])('it is off: %s', (reason, change, present) => {
  const state = wanting(true)
  const assignment = { ...state.assignment, ...change }
  expect(decideFastPath({ ...state, assignment }, present, undefined)).toEqual({ state: 'off', reason })
})

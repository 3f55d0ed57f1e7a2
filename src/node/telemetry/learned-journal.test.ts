import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { parseMac } from '../../model/mac.js'
import { plainPort } from '../../model/segment.fixture.js'
import { EventKind, MacEventFlag } from '../bpf/abi.gen.js'
import { nodeState } from '../reconcile/node-state.fixture.js'
import { LearnedJournal, type SeenMove } from './learned-journal.js'
import { seenMove } from './seen-move.js'

const mac = parseMac('02:00:00:00:00:01')!
const MS = 1e6

function move(vni: number, atNs: number): SeenMove {
  return { atNs, vni, mac, from: { interface: 'tap0' }, to: { vtep: '10.0.0.2' as Ip }, announced: false }
}

describe('LearnedJournal', () => {
  const all = { vni: 0, mac: undefined, limit: 100 }

  it('gives the newest first, of the segment and the MAC that are asked for', () => {
    const journal = new LearnedJournal()
    for (const [vni, at] of [
      [7, 1],
      [8, 2],
      [7, 3],
    ] as const)
      journal.add(move(vni, at * MS))
    expect(journal.list(all, 10 * MS).map(({ vni, ago_ms: ago }) => [vni, ago])).toEqual([
      [7, 7],
      [8, 8],
      [7, 9],
    ])
    expect(journal.list({ ...all, vni: 8 }, 10 * MS)).toMatchObject([
      { vni: 8, at: { vtep: '10.0.0.2' }, from: { interface: 'tap0' }, announced: false },
    ])
    expect(journal.list({ ...all, mac: parseMac('02:00:00:00:00:02')! }, 10 * MS)).toEqual([])
    expect(journal.list({ ...all, limit: 1 }, 10 * MS)).toMatchObject([{ ago_ms: 7 }])
  })

  it('drops the oldest when it is full', () => {
    const journal = new LearnedJournal(3)
    for (let at = 1; at <= 5; at++) journal.add(move(7, at * MS))
    expect(journal.list(all, 10 * MS).map(({ ago_ms: ago }) => ago)).toEqual([5, 6, 7])
  })
})

describe('seenMove', () => {
  const event = {
    kind: EventKind.EVENT_MAC_MOVED,
    vni: 7,
    mac,
    flags: MacEventFlag.MAC_ANNOUNCED,
    ifindex: 4,
    fromIfindex: 0,
    atNs: 5,
    vtep: '::' as Ip,
    fromVtep: '10.0.0.2' as Ip,
  }
  const statusOf = (claims: boolean) => {
    const device = { ifindex: 4, name: 'tap0', mtu: 1450, up: true }
    return {
      applied: nodeState({ segments: [{ vni: 7, spec: { claim_macs: claims } }] }),
      ports: [{ ...plainPort('tap0', 7), ifindex: 4, mtu: 1450, device }],
    }
  }

  it('names both places, a port that is gone by its number', () => {
    const places = { from: { vtep: '10.0.0.2' }, to: { interface: 'tap0' } }
    expect(seenMove(event, statusOf(false))).toEqual({ atNs: 5, vni: 7, mac, announced: true, ...places })
    expect(seenMove({ ...event, ifindex: 9 }, statusOf(false))?.to).toEqual({ interface: 'ifindex 9' })
  })

  it('is none where the controller keeps the journal, and when a MAC is merely new', () => {
    expect(seenMove(event, statusOf(true))).toBeUndefined()
    expect(seenMove({ ...event, kind: EventKind.EVENT_MAC_LEARNED }, statusOf(false))).toBeUndefined()
  })
})

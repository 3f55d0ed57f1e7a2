import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { type Mac, parseMac } from '../../model/mac.js'
import { plainSpec } from '../../model/segment.fixture.js'
import { type BodyChange, encodeBody } from '../../model/segment-body.js'
import type { FdbEntry, SegmentSpec } from '../../model/segment-table.js'
import type { SegmentUpdate } from '../../model/segment-update.js'
import { SetHash } from '../../model/set-hash.js'
import type { StateChange } from '../../rpc/records.js'
import { Replica, type Step } from './replica.js'

const one = parseMac('02:00:00:00:00:01')!
const two = parseMac('02:00:00:00:00:02')!
const there: FdbEntry = { vtep: '10.0.0.2' as Ip, static: false }
const elsewhere: FdbEntry = { vtep: '10.0.0.3' as Ip, static: false }
const spec: SegmentSpec = {
  ...plainSpec,
  network: 'blue',
  members: ['10.0.0.1' as Ip, '10.0.0.2' as Ip],
}
const node: StateChange = {
  kind: 'node',
  assignment: { underlay_dev: 'eth0', vtep: '10.0.0.1' as Ip, udp_port: 4789, ports: [] },
}

function update(kind: SegmentUpdate['kind'], over: Partial<SegmentUpdate>): StateChange {
  return {
    kind: 'segment',
    update: { vni: 7, kind, from_revision: 0n, to_revision: 0n, hash: 0n, body: new Uint8Array(), ...over },
  }
}
function snapshot(entries: [Mac, FdbEntry][], to_revision: bigint, vni = 7): StateChange {
  const body = encodeBody(entries.map(([mac, entry]) => ({ mac, entry })))
  return update('snapshot', { vni, to_revision, hash: SetHash.of(entries), spec, body })
}
function delta(changes: BodyChange[], after: [Mac, FdbEntry][], from: bigint, to: bigint): StateChange {
  return update('delta', {
    from_revision: from,
    to_revision: to,
    hash: SetHash.of(after),
    body: encodeBody(changes),
  })
}
const inSync = (revision: bigint): StateChange => ({ kind: 'in_sync', revision })

/** Applies all; the last step. */
function feed(replica: Replica, ...changes: StateChange[]): Step {
  return changes.map((change) => replica.apply(change)).at(-1)!
}
function stateOf(step: Step) {
  if (step.kind !== 'complete') throw new Error(`not complete but ${step.kind}`)
  return step.state
}

describe('Replica', () => {
  it('is complete at InSync and not before', () => {
    const replica = new Replica()
    expect(replica.begin()).toEqual([])
    expect(feed(replica, node, snapshot([[one, there]], 5n)).kind).toBe('wait')
    const state = stateOf(feed(replica, inSync(5n)))
    expect(state.revision).toBe(5n)
    expect([...state.segments.get(7)!.entries]).toEqual([[one, there]])
  })

  it('takes a delta on the revision it starts from and leaves earlier states as they were', () => {
    const replica = new Replica()
    replica.begin()
    const before = stateOf(feed(replica, node, snapshot([[one, there]], 5n), inSync(5n)))
    const moved: [Mac, FdbEntry][] = [
      [one, elsewhere],
      [two, there],
    ]
    const changes = moved.map(([mac, entry]) => ({ mac, entry }))
    const after = stateOf(feed(replica, delta(changes, moved, 5n, 6n), inSync(6n)))
    expect([...after.segments.get(7)!.entries]).toEqual(moved)
    expect([...before.segments.get(7)!.entries]).toEqual([[one, there]])
  })

  it('asks for a segment whole when a delta does not fit, and is complete only when it has come', () => {
    const replica = new Replica()
    replica.begin()
    feed(replica, node, snapshot([[one, there]], 5n), inSync(5n))
    const step = feed(replica, delta([{ mac: two, entry: there }], [[two, there]], 4n, 6n))
    expect(step).toEqual({ kind: 'request', vni: 7, why: 'delta from 4, held 5' })
    expect(feed(replica, inSync(6n)).kind).toBe('wait')
    const state = stateOf(feed(replica, snapshot([[two, there]], 6n), inSync(6n)))
    expect([...state.segments.get(7)!.entries.keys()]).toEqual([two])
  })

  it('asks once, though more deltas of that segment are on their way', () => {
    const replica = new Replica()
    replica.begin()
    feed(replica, node, snapshot([[one, there]], 5n), inSync(5n))
    feed(replica, delta([], [], 4n, 6n))
    expect(feed(replica, delta([], [], 6n, 7n)).kind).toBe('wait')
  })

  it('asks for a segment whole when its contents do not match the hash', () => {
    const replica = new Replica()
    replica.begin()
    feed(replica, node, snapshot([[one, there]], 5n), inSync(5n))
    const step = feed(replica, delta([{ mac: two, entry: there }], [[two, there]], 5n, 6n))
    expect(step).toMatchObject({ kind: 'request', why: 'delta does not match its hash' })
  })

  it('gives up the stream when a segment never matches', () => {
    const replica = new Replica()
    replica.begin()
    const wrong = update('snapshot', { to_revision: 1n, hash: 99n, spec })
    expect(() => feed(replica, node, wrong, wrong, wrong, wrong)).toThrow(/4 times in a row/)
    expect(replica.begin()).toEqual([])
  })

  it('keeps segments over a reconnect, says so in Hello, and drops what is not named again', () => {
    const replica = new Replica()
    replica.begin()
    feed(replica, node, snapshot([[one, there]], 5n), snapshot([[two, there]], 5n, 8), inSync(5n))
    const held = replica.begin()
    expect(held.map(({ vni, revision }) => [vni, revision])).toEqual([
      [7, 5n],
      [8, 5n],
    ])
    const unchanged = update('unchanged', { to_revision: 9n, hash: held[0]!.hash })
    const state = stateOf(feed(replica, node, unchanged, inSync(9n)))
    expect([...state.segments.keys()]).toEqual([7])
    expect(state.segments.get(7)!.revision).toBe(9n)
  })

  it('does not believe "unchanged" of contents it does not have', () => {
    const replica = new Replica()
    replica.begin()
    expect(feed(replica, node, update('unchanged', { hash: 3n }))).toMatchObject({ kind: 'request' })
  })

  it('removes a segment on request', () => {
    const replica = new Replica()
    replica.begin()
    feed(replica, node, snapshot([[one, there]], 5n), inSync(5n))
    const state = stateOf(feed(replica, { kind: 'segment_remove', vni: 7 }, inSync(6n)))
    expect(state.segments.size).toBe(0)
  })

  it('refuses InSync without the node part', () => {
    const replica = new Replica()
    replica.begin()
    expect(() => feed(replica, inSync(1n))).toThrow(/before the node part/)
  })
})

import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { parseMac } from '../../model/mac.js'
import type { SegmentSpec } from '../../model/segment-table.js'
import { nodeState, type SegmentSketch } from '../reconcile/node-state.fixture.js'
import { type HeardMac, judge } from './learned-judgement.js'

const mac = '02:00:00:00:00:01'
const SECOND = 1e9
const dataplane: Partial<SegmentSpec> = { claim_macs: false, learn_tunnels: true }

function judgeAt(heard: Partial<HeardMac>, segment: Partial<SegmentSketch> = {}) {
  const state = nodeState({ segments: [{ vni: 7, spec: dataplane, ...segment }] })
  const times = { sinceNs: 100 * SECOND, seenNs: 100 * SECOND }
  const base = { vni: 7, mac: parseMac(mac)!, ifindex: 0, vtep: '10.0.0.2' as Ip, ...times }
  return judge({ ...base, ...heard }, { state, ports: new Map(), nowNs: 101 * SECOND })
}

describe('what was learned behind a VTEP', () => {
  it('stays where the segment learns from tunnels, and is never claimed', () => {
    expect(judgeAt({})).toBe('keep')
    expect(judgeAt({}, { spec: { ...dataplane, claim_macs: true } })).toBe('keep')
  })

  it('goes with the segment, with its learning, and with the VTEP', () => {
    expect(judgeAt({ vni: 8 })).toBe('forget')
    expect(judgeAt({}, { spec: { claim_macs: false } })).toBe('forget')
    expect(judgeAt({ vtep: '10.0.0.9' as Ip })).toBe('forget')
    expect(judgeAt({}, { members: ['10.0.0.1'] })).toBe('forget')
  })

  it('goes when it was silent for as long as the segment says', () => {
    expect(judgeAt({ seenNs: 0 }, { ageing: 100 })).toBe('forget')
    expect(judgeAt({ seenNs: 0 }, { ageing: 102 })).toBe('keep')
    expect(judgeAt({ seenNs: 0 }, { ageing: 0 })).toBe('keep')
  })

  it('goes when the MAC is declared at another place', () => {
    expect(judgeAt({}, { entries: [[mac, '10.0.0.3', true]] })).toBe('forget')
    expect(judgeAt({}, { entries: [[mac, '10.0.0.1', true]] })).toBe('forget')
    expect(judgeAt({}, { entries: [[mac, '10.0.0.2', true]] })).toBe('keep')
  })
})

import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { type Mac, parseMac } from '../../model/mac.js'
import { plainPort } from '../../model/segment.fixture.js'
import { nodeState, type SegmentSketch } from '../reconcile/node-state.fixture.js'
import { type HeardBinding, judgeBinding, LocalBindings } from './local-bindings.js'

const SECOND = 1e9
const suppress = { suppress: true }

function around(nowS: number, segment: Partial<SegmentSketch> = {}) {
  const device = { ifindex: 4, name: 'tap4', mtu: 1450, up: true }
  return {
    state: nodeState({ segments: [{ vni: 7, spec: suppress, ...segment }] }),
    ports: new Map([[4, { ...plainPort('tap4', 7), ifindex: 4, mtu: 1450, device }]]),
    nowNs: nowS * SECOND,
  }
}

function heard(ip: string, over: Partial<HeardBinding> & { station?: number } = {}): HeardBinding {
  const { station = 1, ...rest } = over
  const times = { sinceNs: 100 * SECOND, seenNs: 100 * SECOND }
  return { vni: 7, ip: ip as Ip, mac: macOf(station), router: false, ifindex: 4, ...times, ...rest }
}

function macOf(station: number): Mac {
  return parseMac(`02:00:00:00:00:0${station}`)!
}

const addresses = (bindings: LocalBindings, station = 1) =>
  bindings.addressesOf({ vni: 7, mac: macOf(station) }).map(({ ip }) => ip)

describe('LocalBindings', () => {
  it('says whose addresses changed, and gives all of them in one order', () => {
    const bindings = new LocalBindings()
    const [first, second] = [heard('10.1.0.2'), heard('10.1.0.1', { sinceNs: 101 * SECOND })]
    expect(bindings.hear(first, around(100))).toEqual([first])
    expect(bindings.hear(first, around(100))).toEqual([])
    expect(bindings.hear(second, around(101))).toEqual([second])
    expect(addresses(bindings)).toEqual(['10.1.0.1', '10.1.0.2'])
    const other = new LocalBindings()
    other.audit([second, first], around(101))
    expect(addresses(other)).toEqual(addresses(bindings))
  })

  it('takes an address from the MAC that had it before', () => {
    const bindings = new LocalBindings()
    bindings.hear(heard('10.1.0.1'), around(100))
    const changed = bindings.hear(heard('10.1.0.1', { station: 2 }), around(101))
    expect(changed.map(({ mac }) => mac)).toEqual([macOf(1), macOf(2)])
    expect([addresses(bindings, 1), addresses(bindings, 2)]).toEqual([[], ['10.1.0.1']])
  })

  it('tells sixteen addresses of a MAC, those heard first, counts the others, and lets them follow', () => {
    const bindings = new LocalBindings()
    const many = Array.from({ length: 18 }, (_, i) => heard(`10.1.0.${i + 10}`, { sinceNs: i }))
    const reversed = [...many].reverse()
    bindings.audit(reversed, around(100))
    expect(addresses(bindings)).toEqual(many.slice(0, 16).map(({ ip }) => ip))
    bindings.audit(reversed, around(100))
    expect(bindings.leftOut).toBe(2)
    expect(bindings.audit(many.slice(1), around(100)).changed).toHaveLength(1)
    expect(addresses(bindings)).toEqual(many.slice(1, 17).map(({ ip }) => ip))
    expect(bindings.audit(many.slice(1, 17), around(100)).changed).toEqual([])
  })

  it('forgets what is silent, what lost its port or segment, and says whose it was', () => {
    const bindings = new LocalBindings()
    bindings.hear(heard('10.1.0.1'), around(100))
    const { changed, forget } = bindings.audit([heard('10.1.0.1')], around(401))
    expect([changed.length, forget.length]).toEqual([1, 1])
    expect(addresses(bindings)).toEqual([])
    for (const gone of [heard('10.1.0.1', { ifindex: 9 }), heard('10.1.0.1', { vni: 8 })]) {
      expect(judgeBinding(gone, around(100))).toBe('forget')
    }
    expect(judgeBinding(heard('10.1.0.1'), around(100, { spec: {} }))).toBe('forget')
  })

  it('gives up an address that another MAC has for the controller, once that is no race', () => {
    const taken = { bindings: [['10.1.0.1', '02:00:00:00:00:02']] } as const
    expect(judgeBinding(heard('10.1.0.1'), around(102, taken))).toBe('claim')
    expect(judgeBinding(heard('10.1.0.1'), around(104, taken))).toBe('forget')
    expect(judgeBinding(heard('10.1.0.1', { station: 2 }), around(104, taken))).toBe('claim')
  })

  it('keeps what came from a tunnel to itself, where the segment learns from tunnels', () => {
    const remote = heard('10.1.0.1', { ifindex: 0 })
    expect(judgeBinding(remote, around(100))).toBe('forget')
    const spec = { suppress: true, learn_tunnels: true, claim_macs: false }
    expect(judgeBinding(remote, around(100, { spec }))).toBe('keep')
    expect(judgeBinding(heard('10.1.0.1'), around(100, { spec }))).toBe('keep')
  })
})

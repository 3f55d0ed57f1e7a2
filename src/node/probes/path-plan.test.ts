import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { PathPlan } from './path-plan.js'

const least = 48
const a = '10.0.0.1' as Ip

function bench(needs: Record<string, number>, passes: (to: Ip, size: number, tries: number) => boolean) {
  const plan = new PathPlan({
    intervalMs: 30_000,
    waitMs: 500,
    tries: 3,
    perSecond: 100,
    least,
    random: () => 0.5,
  })
  const entries = Object.entries(needs).map(([to, mtu]) => [to as Ip, { vni: 1, mtu }] as const)
  let now = 0
  let sent = 0
  const mostInSecond = { second: 0, count: 0, most: 0 }
  /** Lets time go on in steps of 50 ms; each probe that passes is answered 10 ms later. */
  const run = (ms: number) => {
    for (const end = now + ms; now < end; now += 50) {
      plan.update(new Map(entries), now)
      for (const { to, size, sequence } of plan.due(now)) {
        sent++
        const second = Math.floor(now / 1000)
        mostInSecond.count = second === mostInSecond.second ? mostInSecond.count + 1 : 1
        mostInSecond.second = second
        mostInSecond.most = Math.max(mostInSecond.most, mostInSecond.count)
        if (passes(to, size, sent)) plan.answered(to, sequence, 700, now + 10)
      }
    }
    return plan.states()
  }
  return { plan, run, sent: () => sent, most: () => mostInSecond.most }
}

const state = (vtep: Ip, of: string, path: number, wanted: number, rtt = 700) => ({
  vtep,
  state: of,
  path_mtu: path,
  wanted_mtu: wanted,
  rtt_us: rtt,
})

describe('PathPlan', () => {
  it('knows nothing before the first answer, and then that the full size passes', () => {
    const { run, sent } = bench({ [a]: 1450 }, () => true)
    expect(run(50)).toEqual([state(a, 'unknown', 0, 1450, 0)])
    expect(run(5_000)).toEqual([state(a, 'ok', 1450, 1450)])
    expect(sent()).toBe(1)
  })

  it('probes the full size once in an interval while it passes', () => {
    const { run, sent } = bench({ [a]: 1450 }, () => true)
    run(31_000 * 10)
    expect(sent()).toBeGreaterThanOrEqual(10)
    expect(sent()).toBeLessThanOrEqual(11)
  })

  it('takes one or two lost probes for chance', () => {
    const { run } = bench({ [a]: 1450 }, (_, __, tries) => tries > 2)
    expect(run(10_000)).toEqual([state(a, 'ok', 1450, 1450)])
  })

  it('finds the largest size that passes, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: least, max: 9000 }),
        fc.integer({ min: least + 1, max: 9001 }),
        (mtu, wanted) => {
          fc.pre(mtu < wanted)
          const { run } = bench({ [a]: wanted }, (_, size) => size <= mtu)
          expect(run(29_000)).toEqual([state(a, 'too_small', mtu, wanted)])
        },
      ),
      { numRuns: 50 },
    )
  })

  it('sees within an interval that a path became smaller, or large enough again', () => {
    let mtu = 1450
    const { run } = bench({ [a]: 1450 }, (_, size) => size <= mtu)
    run(5_000)
    mtu = 1300
    expect(run(60_000)).toEqual([state(a, 'too_small', 1300, 1450)])
    mtu = 1350
    expect(run(60_000)).toEqual([state(a, 'too_small', 1350, 1450)])
    mtu = 1450
    expect(run(45_000)).toEqual([state(a, 'ok', 1450, 1450)])
  })

  it('looks for the size of before first: a path that stays too small costs few probes', () => {
    const { run, sent } = bench({ [a]: 1450 }, (_, size) => size <= 1300)
    run(40_000)
    const before = sent()
    run(33_000)
    // The full size, the smallest, the one of before, and one more than that.
    expect(sent() - before).toBeLessThanOrEqual(3 + 1 + 1 + 3)
  })

  it('says of a peer that answers nothing no more than that', () => {
    const { run } = bench({ [a]: 1450 }, () => false)
    expect(run(10_000)).toEqual([state(a, 'no_answer', 0, 1450, 0)])
  })

  it('sends no more than the rate to 1,000 peers, also when none answers, and leaves none out', () => {
    const peers = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [`10.0.${i >> 8}.${i & 255}`, 1450]),
    )
    const { run, most } = bench(peers, () => false)
    const states = run(120_000)
    expect(most()).toBeLessThanOrEqual(200) // what was saved up and what came since
    expect(states.every((one) => one.state === 'no_answer')).toBe(true)
  })

  it('takes no reply to a probe of before', () => {
    const { plan, run } = bench({ [a]: 1450 }, () => false)
    run(1_500)
    plan.answered(a, 1, 5, 1_500)
    plan.answered(a, 0, 5, 1_500)
    plan.answered('10.9.9.9' as Ip, 2, 5, 1_500)
    expect(plan.states()).toEqual([state(a, 'unknown', 0, 1450, 0)])
  })

  it('forgets peers that went, and begins anew when more is needed', () => {
    const { plan, run } = bench({ [a]: 1450 }, () => true)
    run(5_000)
    plan.update(new Map([[a, { vni: 1, mtu: 1500 }]]), 5_000)
    expect(plan.states()).toEqual([state(a, 'unknown', 0, 1500, 0)])
    plan.update(new Map(), 5_000)
    expect(plan.states()).toEqual([])
  })
})

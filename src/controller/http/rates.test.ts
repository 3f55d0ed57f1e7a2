import { describe, expect, it } from 'vitest'
import { RateTracker } from './rates.js'

describe('RateTracker', () => {
  it('knows no rate before the second sample', () => {
    const tracker = new RateTracker(2000)
    tracker.observe('a', 1000, { packets: 10 })
    expect(tracker.of('a')).toBeUndefined()
    tracker.observe('a', 3000, { packets: 30 })
    expect(tracker.of('a')).toEqual({ packets: 10 })
  })

  it('looks back over the window only', () => {
    const tracker = new RateTracker(2000)
    for (const [second, packets] of [0, 100, 100, 110, 120].entries())
      tracker.observe('a', second * 1000, { packets })
    expect(tracker.of('a')).toEqual({ packets: 10 })
  })

  it('gives no negative rate when totals start over', () => {
    const tracker = new RateTracker(2000)
    tracker.observe('a', 1000, { packets: 10 })
    tracker.observe('a', 2000, { packets: 3 })
    expect(tracker.of('a')).toBeUndefined()
    tracker.observe('a', 3000, { packets: 5 })
    expect(tracker.of('a')).toEqual({ packets: 2 })
  })

  it('passes over a sample that is not newer', () => {
    const tracker = new RateTracker(2000)
    tracker.observe('a', 1000, { packets: 10 })
    tracker.observe('a', 1000, { packets: 99 })
    tracker.observe('a', 2000, { packets: 20 })
    expect(tracker.of('a')).toEqual({ packets: 10 })
  })

  it('forgets what is no longer observed', () => {
    const tracker = new RateTracker(2000)
    tracker.observe('a', 1000, {})
    tracker.observe('b', 2000, {})
    tracker.forgetBefore(2000)
    expect(['a', 'b'].map((key) => tracker.has(key))).toEqual([false, true])
  })
})

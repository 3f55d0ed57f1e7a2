import { describe, expect, it } from 'vitest'
import { backoffMs, pause } from './backoff.js'

describe('backoffMs', () => {
  it('doubles up to the limit', () => {
    const wait = (failures: number) => backoffMs(failures, { firstMs: 100, maxMs: 1000, random: () => 0.5 })
    expect([1, 2, 3, 4, 5, 100].map(wait)).toEqual([100, 200, 400, 800, 1000, 1000])
  })

  it('spreads over a quarter each way', () => {
    const wait = (random: number) => backoffMs(1, { firstMs: 100, maxMs: 1000, random: () => random })
    expect([0, 1].map(wait)).toEqual([75, 125])
  })
})

describe('pause', () => {
  it('ends without an error when aborted, before and during', async () => {
    const stop = new AbortController()
    const pausing = pause(1e6, stop.signal)
    stop.abort()
    await expect(pausing).resolves.toBeUndefined()
    await expect(pause(1e6, stop.signal)).resolves.toBeUndefined()
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reconnectMs } from './reconnect.js'

describe('reconnectMs', () => {
  it('tries every address once before it waits', () => {
    expect([1, 2, 3, 4].map((failures) => reconnectMs(failures, 3) > 0)).toEqual([false, false, true, false])
  })

  it('waits between 0.2 and 5 seconds, spread over the whole range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, r) => {
          const ms = reconnectMs(failures, 1, () => r)
          expect(ms).toBeGreaterThanOrEqual(200)
          expect(ms).toBeLessThanOrEqual(5000)
        },
      ),
    )
    expect(reconnectMs(50, 1, () => 0)).toBe(200)
    expect(reconnectMs(50, 1, () => 1)).toBe(5000)
  })

  it('waits less at first', () => {
    expect([1, 2, 3].map((failures) => reconnectMs(failures, 1, () => 1))).toEqual([400, 800, 1600])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { delta } from './delta.js'

const same = (a: number, b: number) => a === b

describe('delta', () => {
  it('writes what is absent or different, removes what nobody wants, and leaves the rest', () => {
    const desired = new Map([
      ['kept', 1],
      ['changed', 2],
      ['new', 3],
    ])
    const actual = new Map([
      ['kept', 1],
      ['changed', 9],
      ['stale', 4],
    ])
    expect(delta(desired, actual, same)).toEqual({
      set: [
        ['changed', 2],
        ['new', 3],
      ],
      remove: ['stale'],
    })
  })

  it('turns any contents into any other, after which there is nothing left to do', () => {
    const contents = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3 })))
      .map((entries) => new Map(entries))
    fc.assert(
      fc.property(contents, contents, (desired, actual) => {
        const { set, remove } = delta(desired, actual, same)
        const after = new Map(actual)
        for (const key of remove) after.delete(key)
        for (const [key, value] of set) after.set(key, value)
        expect(after).toEqual(desired)
        expect(delta(desired, after, same)).toEqual({ set: [], remove: [] })
      }),
    )
  })
})

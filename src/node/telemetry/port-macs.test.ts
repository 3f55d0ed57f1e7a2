import { expect, it } from 'vitest'
import { countForgotten } from './port-macs.js'

it('counts what ports took in and have no more, each port by itself', () => {
  const taken = new Map([
    [4, 10],
    [5, 3],
    [6, 2],
  ])
  const present = new Map([
    [4, 7],
    [5, 3],
    [9, 1],
  ])
  expect([...countForgotten(taken, present)]).toEqual([
    [4, 3],
    [5, 0],
    [6, 2],
  ])
})

it('counts what came in during the audit as two, rather than not at all', () => {
  const taken = 5 // before
  const [forgotten] = countForgotten(new Map([[4, taken]]), new Map([[4, 8]])).values()
  expect(taken + 3 - forgotten!).toBe(8 + 3)
})

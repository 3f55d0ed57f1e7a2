import { expect, it } from 'vitest'
import { Evictions } from './evictions.js'

it('counts once what is gone and would have stayed', () => {
  const evictions = new Evictions<number>()
  const at = (...entries: number[]) => new Map(entries.map((value) => [`${value}`, value]))
  evictions.audit(at(1, 2, 3), () => true)
  expect(evictions.count).toBe(0)
  evictions.audit(at(3), (gone) => gone !== 1)
  expect(evictions.count).toBe(1)
  evictions.audit(at(3), () => true)
  expect(evictions.count).toBe(1)
})

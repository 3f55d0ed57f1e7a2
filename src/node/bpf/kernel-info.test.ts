import { expect, it } from 'vitest'
import { parseCpuList } from './kernel-info.js'

it.each([
  ['0\n', 1],
  ['0-3\n', 4],
  ['0-3,8,10-11', 7],
])('counts the CPUs of %j', (list, count) => {
  expect(parseCpuList(list)).toBe(count)
})

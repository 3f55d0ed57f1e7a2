import { expect, it } from 'vitest'
import { parseSize } from './size.js'

it.each([
  ['2000', 2000],
  ['64kB', 64_000],
  ['1.5MB', 1_500_000],
  ['1GB', 1e9],
  ['', undefined],
  ['MB', undefined],
  ['-1', undefined],
  ['5 furlongs', undefined],
])('parseSize(%j) is %s', (text, bytes) => expect(parseSize(text)).toBe(bytes))

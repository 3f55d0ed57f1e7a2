import { describe, expect, it } from 'vitest'
import type { Mac } from '../../model/mac.js'
import { Keys, rangeEnd } from './keys.js'

const keys = new Keys('/weft/v1/')

describe('keys', () => {
  it('name what they were made for', () => {
    expect(keys.parse(keys.generation())).toEqual({ kind: 'generation' })
    expect(keys.parse(keys.head('lab'))).toEqual({ kind: 'head', topology: 'lab' })
    expect(keys.parse(keys.guard(100))).toEqual({ kind: 'guard', vni: 100 })
    const mac = 0x02000000000a as Mac
    expect(keys.journal(100, mac)).toBe('/weft/v1/journal/100/02:00:00:00:00:0a')
    expect(keys.parse(keys.journal(100, mac))).toEqual({ kind: 'journal', vni: 100, mac })
    expect(keys.parse(keys.object('lab', 'e1', 'static/red/0'))).toEqual({
      kind: 'object',
      topology: 'lab',
      epoch: 'e1',
      id: 'static/red/0',
    })
    for (const vtep of ['10.0.0.1', 'fd00::1']) {
      expect(keys.parse(keys.page(100, vtep, 0))).toEqual({ kind: 'page', vni: 100, vtep, page: 0 })
      expect(keys.parse(keys.page(100, vtep, 3))).toEqual({ kind: 'page', vni: 100, vtep, page: 3 })
    }
  })

  it.each([
    '/other/generation',
    '/weft/v1/generation/x',
    '/weft/v1/topology/',
    '/weft/v1/topology/a/b',
    '/weft/v1/object/lab/e1',
    '/weft/v1/mac/100',
    '/weft/v1/mac/100/010.0.0.1',
    '/weft/v1/mac/100/FD00::1',
    '/weft/v1/mac/0100/10.0.0.1',
    '/weft/v1/mac/100/10.0.0.1/x',
    '/weft/v1/mac/100/10.0.0.1/1/2',
    '/weft/v1/guard/x',
    '/weft/v1/journal/100',
    '/weft/v1/journal/100/02:00:00:00:00:0A',
    '/weft/v1/journal/100/02:00:00:00:00:0a/1',
    '/weft/v1/else',
  ])('of others are not ours: %s', (key) => {
    expect(keys.parse(key)).toBeUndefined()
  })

  it('of a prefix end where the next one begins', () => {
    expect(rangeEnd('/weft/v1/').toString()).toBe('/weft/v10')
  })
})

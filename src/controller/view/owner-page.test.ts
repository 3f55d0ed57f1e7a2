import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Mac } from '../../model/mac.js'
import { decodePage, encodePage, type PageEntry } from './owner-page.js'

const u32 = fc.nat(2 ** 32 - 1)
const entry: fc.Arbitrary<PageEntry> = fc.record({
  interface: fc.constantFrom('tap0', 'tap1', 'ünïcode'),
  seq: u32,
  since: u32,
})
const page = fc
  .uniqueArray(fc.tuple(fc.nat(2 ** 48 - 1), entry), { selector: ([mac]) => mac })
  .map((entries) => new Map(entries.map(([mac, value]) => [mac as Mac, value])))

describe('an owner page', () => {
  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(page, (macs) => {
        expect(decodePage(encodePage(macs))).toEqual(macs)
      }),
    )
  })

  it('that is cut anywhere, or of another version, is refused, not half used', () => {
    const bytes = encodePage(new Map([[2 as Mac, { interface: 'tap0', seq: 1, since: 2 }]]))
    for (let length = 2; length < bytes.length; length++) {
      expect(() => decodePage(bytes.subarray(0, length))).toThrow(RangeError)
    }
    expect(() => decodePage(Uint8Array.of(2))).toThrow('version 2')
    expect(() => decodePage(new Uint8Array())).toThrow(RangeError)
  })

  it('is never anything but refused or read, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodePage(Uint8Array.from([1, ...bytes]))
        } catch (err) {
          expect(err instanceof RangeError || err instanceof TypeError).toBe(true)
        }
      }),
    )
  })
})

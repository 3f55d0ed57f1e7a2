import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalIp } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import { decodePage, encodePage, type PageEntry } from './owner-page.js'

const u32 = fc.nat(2 ** 32 - 1)
const entry: fc.Arbitrary<PageEntry> = fc.record({
  interface: fc.constantFrom('tap0', 'tap1', 'ünïcode'),
  seq: u32,
  since: u32,
  addresses: fc.array(
    fc.record({
      ip: fc.oneof(fc.ipV4(), fc.constantFrom('fd00::1', 'fe80::2')).map(canonicalIp),
      router: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
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

  it('of before there were addresses is read, and without them is written so', () => {
    const head = [1, 4, ...new TextEncoder().encode('tap0'), 0, 1]
    const bytes = Uint8Array.from([...head, 2, 0, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 1, 0])
    const page = new Map([[0x020000000001, { interface: 'tap0', seq: 7, since: 256, addresses: [] }]])
    expect(decodePage(bytes)).toEqual(page)
    expect(encodePage(decodePage(bytes))).toEqual(bytes)
  })

  it('that is cut anywhere, or of another version, is refused, not half used', () => {
    for (const addresses of [[], [{ ip: canonicalIp('10.1.0.1'), router: true }]]) {
      const bytes = encodePage(new Map([[2 as Mac, { interface: 'tap0', seq: 1, since: 2, addresses }]]))
      for (let length = 2; length < bytes.length; length++) {
        expect(() => decodePage(bytes.subarray(0, length))).toThrow(RangeError)
      }
    }
    expect(() => decodePage(Uint8Array.of(3))).toThrow('version 3')
    expect(() => decodePage(new Uint8Array())).toThrow(RangeError)
  })

  it('is never anything but refused or read, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 60 }), (version, bytes) => {
        try {
          decodePage(Uint8Array.from([version, ...bytes]))
        } catch (err) {
          expect(err instanceof RangeError || err instanceof TypeError).toBe(true)
        }
      }),
    )
  })
})

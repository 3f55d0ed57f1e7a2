import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalIp } from './ip.js'
import type { Mac } from './mac.js'
import { decodeBody, encodeBody } from './segment-body.js'
import type { FdbEntry } from './segment-table.js'
import { SetHash } from './set-hash.js'

const mac = fc.nat({ max: 2 ** 48 - 1 }).map((value) => value as Mac)
const vtep = fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1').map(canonicalIp)
const entry: fc.Arbitrary<FdbEntry> = fc.record({ vtep, static: fc.boolean() })
const entries = fc.uniqueArray(fc.tuple(mac, entry), { selector: ([key]) => key })

describe('a packed body', () => {
  it('says what was put in, whatever its order', () => {
    const changes = fc.uniqueArray(fc.record({ mac, entry: fc.option(entry, { nil: undefined }) }), {
      selector: (change) => change.mac,
    })
    fc.assert(
      fc.property(changes, (all) => {
        const byMac = (list: typeof all) => [...list].sort((a, b) => a.mac - b.mac)
        expect(byMac(decodeBody(encodeBody(all)))).toEqual(byMac(all))
      }),
    )
  })

  it('takes six bytes for each further MAC of a group', () => {
    const one = (count: number) =>
      encodeBody(
        Array.from({ length: count }, (_, i) => ({
          mac: (i + 2) as Mac,
          entry: { vtep: canonicalIp('10.0.0.1'), static: false },
        })),
      ).length
    expect(one(101) - one(100)).toBe(6)
  })

  it('that is cut anywhere is refused, not half used', () => {
    const bytes = encodeBody([{ mac: 2 as Mac, entry: { vtep: canonicalIp('10.0.0.1'), static: true } }])
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeBody(bytes.subarray(0, length))).toThrow(RangeError)
    }
  })
})

describe('the set hash', () => {
  it('depends on the set alone, not on how it came about', () => {
    fc.assert(
      fc.property(entries, entries, (kept, gone) => {
        const keys = new Set(kept.map(([key]) => key))
        const passing = gone.filter(([key]) => !keys.has(key))
        const hash = SetHash.from(SetHash.of(passing))
        for (const [key, value] of [...kept].reverse()) hash.add(key, value)
        for (const [key, value] of passing) hash.remove(key, value)
        expect(hash.value).toBe(SetHash.of(kept))
      }),
    )
  })

  it('differs when a MAC, its VTEP or its flag does', () => {
    fc.assert(
      fc.property(mac, entry, (key, value) => {
        const one = SetHash.of([[key, value]])
        expect(SetHash.of([])).not.toBe(one)
        expect(SetHash.of([[(key ^ 1) as Mac, value]])).not.toBe(one)
        expect(SetHash.of([[key, { ...value, static: !value.static }]])).not.toBe(one)
        expect(SetHash.of([[key, { ...value, vtep: canonicalIp('10.0.0.3') }]])).not.toBe(one)
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalIp } from './ip.js'
import type { Mac } from './mac.js'
import { type BindingChange, decodeBody, encodeBody } from './segment-body.js'
import type { Binding, FdbEntry } from './segment-table.js'
import { SetHash } from './set-hash.js'

const mac = fc.nat({ max: 2 ** 48 - 1 }).map((value) => value as Mac)
const vtep = fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1').map(canonicalIp)
const entry: fc.Arbitrary<FdbEntry> = fc.record({ vtep, static: fc.boolean() })
const ip = fc.oneof(
  fc.ipV4().map(canonicalIp),
  fc.constantFrom('fd00::1', 'fe80::2', '2001:db8::').map(canonicalIp),
)
const binding: fc.Arbitrary<Binding> = fc.record({ mac, router: fc.boolean() })
const bindings = fc.uniqueArray(fc.tuple(ip, binding), { selector: ([key]) => key })
const entries = fc.uniqueArray(fc.tuple(mac, entry), { selector: ([key]) => key })

describe('a packed body', () => {
  it('says what was put in, whatever its order', () => {
    const changes = fc.uniqueArray(fc.record({ mac, entry: fc.option(entry, { nil: undefined }) }), {
      selector: (change) => change.mac,
    })
    const addresses: fc.Arbitrary<BindingChange[]> = fc.uniqueArray(
      fc.record({ ip, binding: fc.option(binding, { nil: undefined }) }),
      { selector: (change) => change.ip },
    )
    fc.assert(
      fc.property(changes, addresses, (all, bound) => {
        const body = decodeBody(encodeBody(all, bound))
        expect(body.macs).toHaveLength(all.length)
        expect(new Map(body.macs.map((change) => [change.mac, change]))).toEqual(
          new Map(all.map((change) => [change.mac, change])),
        )
        expect(body.bindings).toHaveLength(bound.length)
        expect(new Map(body.bindings.map((change) => [change.ip, change]))).toEqual(
          new Map(bound.map((change) => [change.ip, change])),
        )
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
    const entry = { vtep: canonicalIp('10.0.0.1'), static: true }
    const binding = { mac: 2 as Mac, router: true }
    const macs = encodeBody([{ mac: 2 as Mac, entry }])
    const bytes = encodeBody([{ mac: 2 as Mac, entry }], [{ ip: canonicalIp('10.1.0.1'), binding }])
    for (let length = 1; length < bytes.length; length++) {
      if (length === macs.length) continue // between two groups
      expect(() => decodeBody(bytes.subarray(0, length))).toThrow(RangeError)
    }
  })
})

describe('the set hash', () => {
  it('depends on the set alone, not on how it came about', () => {
    fc.assert(
      fc.property(entries, entries, bindings, (kept, gone, bound) => {
        const keys = new Set(kept.map(([key]) => key))
        const passing = gone.filter(([key]) => !keys.has(key))
        const hash = SetHash.from(SetHash.of(passing))
        for (const [key, value] of [...kept].reverse()) hash.add(key, value)
        for (const [key, value] of passing) hash.remove(key, value)
        for (const [key, value] of bound) hash.addBinding(key, value)
        expect(hash.value).toBe(SetHash.of(kept, [...bound].reverse()))
        for (const [key, value] of bound) hash.removeBinding(key, value)
        expect(hash.value).toBe(SetHash.of(kept))
      }),
    )
  })

  it('differs when an address, its MAC or its flag does', () => {
    fc.assert(
      fc.property(binding, (value) => {
        const at = canonicalIp('10.1.0.1')
        const one = SetHash.of([], [[at, value]])
        expect(SetHash.of([])).not.toBe(one)
        expect(SetHash.of([], [[canonicalIp('10.1.0.2'), value]])).not.toBe(one)
        expect(SetHash.of([], [[at, { ...value, router: !value.router }]])).not.toBe(one)
        expect(SetHash.of([], [[at, { ...value, mac: (value.mac ^ 1) as Mac }]])).not.toBe(one)
        expect(SetHash.of([[value.mac, { vtep: at, static: value.router }]])).not.toBe(one)
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

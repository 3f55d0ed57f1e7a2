import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatMac, isStation, type Mac, parseMac, readMac, writeMac } from './mac.js'

const mac = fc.nat({ max: 2 ** 48 - 1 }).map((value) => value as Mac)

describe('a MAC', () => {
  it('comes back from its text and from its bytes, at any offset', () => {
    fc.assert(
      fc.property(mac, fc.nat(5), (value, offset) => {
        const bytes = new Uint8Array(offset + 6)
        writeMac(value, bytes, offset)
        expect(readMac(bytes, offset)).toBe(value)
        expect(parseMac(formatMac(value))).toBe(value)
      }),
    )
  })

  it('is written as people do, and read in either case', () => {
    expect(formatMac(parseMac('02:00:00:0A:bc:FF')!)).toBe('02:00:00:0a:bc:ff')
  })

  it.each([
    '',
    '02:00:00:00:00',
    '02-00-00-00-00-01',
    '02:00:00:00:00:0g',
    ' 02:00:00:00:00:01',
    '2:0:0:0:0:1',
  ])('is not %j', (text) => expect(parseMac(text)).toBeUndefined())

  it('is a station unless it is zero or a group', () => {
    expect(isStation(parseMac('02:00:00:00:00:01')!)).toBe(true)
    expect(isStation(0 as Mac)).toBe(false)
    expect(isStation(parseMac('01:00:5e:00:00:01')!)).toBe(false)
    expect(isStation(parseMac('ff:ff:ff:ff:ff:ff')!)).toBe(false)
  })
})

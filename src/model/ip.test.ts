import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { canonicalIp, ipFromBytes, ipToBytes, isIpv4, vxlanOverhead } from './ip.js'

describe('an underlay address', () => {
  it('comes back from its 16 bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const ip = canonicalIp(text)
        expect(ipToBytes(ip)).toHaveLength(16)
        expect(ipFromBytes(ipToBytes(ip))).toBe(ip)
      }),
    )
  })

  it('is canonical text, whatever zeroes it has', () => {
    const zeroOrNot = fc.oneof(fc.constant(0), fc.constant(0xff), fc.nat(255))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.array(zeroOrNot), (mask, values) => {
        const bytes = Uint8Array.from({ length: 16 }, (_, i) => (mask[i >> 1]! % 2 ? (values[i] ?? 1) : 0))
        expect(ipFromBytes(bytes)).toBe(canonicalIp(ipaddr.fromByteArray([...bytes]).toString()))
      }),
    )
  })

  it('of IPv4 is mapped in bytes, and never written so', () => {
    expect([...ipToBytes(canonicalIp('10.1.2.3'))]).toEqual([...Array(10).fill(0), 0xff, 0xff, 10, 1, 2, 3])
    expect(canonicalIp('::ffff:10.1.2.3')).toBe('10.1.2.3')
  })

  it('costs 50 bytes around a frame over IPv4, 70 over IPv6', () => {
    expect(vxlanOverhead(canonicalIp('10.1.2.3'))).toBe(50)
    expect(vxlanOverhead(canonicalIp('fd00::1'))).toBe(70)
    expect(isIpv4(canonicalIp('fd00::1'))).toBe(false)
  })

  it('is 16 bytes or refused', () => {
    expect(() => ipFromBytes(new Uint8Array(4))).toThrow('16 bytes, not 4')
  })
})

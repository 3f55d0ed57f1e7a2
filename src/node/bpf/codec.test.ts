import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalIp, type Ip } from '../../model/ip.js'
import { parseMac } from '../../model/mac.js'
import { fdbEntry, fdbKey, type SegmentEntry, segmentEntry, segmentEntryLimits, vtepKey } from './abi.gen.js'
import * as codec from './codec.js'

describe('integers', () => {
  it.each([
    ['u8', 1, 0xff, codec.writeU8, codec.readU8],
    ['u16', 2, 0xffff, codec.writeU16, codec.readU16],
    ['u32', 4, 0xffff_ffff, codec.writeU32, codec.readU32],
    ['u64', 8, Number.MAX_SAFE_INTEGER, codec.writeU64, codec.readU64],
    ['be16', 2, 0xffff, codec.writeBe16, codec.readBe16],
    ['be32', 4, 0xffff_ffff, codec.writeBe32, codec.readBe32],
  ] as const)('%s come back as they went, at any offset', (_, size, max, write, read) => {
    fc.assert(
      fc.property(fc.nat({ max }), fc.nat(3), (value, at) => {
        const bytes = new Uint8Array(at + size + 1).fill(0xaa)
        write(bytes, at, value)
        expect(read(bytes, at)).toBe(value)
        expect(bytes.at(-1)).toBe(0xaa)
      }),
    )
  })

  it('lie in host order, and big-endian ones in network order', () => {
    const bytes = new Uint8Array(8)
    codec.writeU32(bytes, 0, 0x01020304)
    codec.writeBe32(bytes, 4, 0x01020304)
    expect([...bytes]).toEqual([4, 3, 2, 1, 1, 2, 3, 4])
  })
})

describe('addresses', () => {
  it.each(['172.16.1.100', '255.255.255.255', 'fd00::1', '::', '::1', '2001:db8::ffff:1'])(
    '%s comes back',
    (text) => {
      const bytes = new Uint8Array(20)
      codec.writeIp(bytes, 2, canonicalIp(text))
      expect(codec.readIp(bytes, 2)).toBe(text)
    },
  )

  it('of IPv4 are mapped', () => {
    const bytes = new Uint8Array(16)
    codec.writeIp(bytes, 0, '10.1.2.3' as Ip)
    expect(Buffer.from(bytes).toString('hex')).toBe('00000000000000000000ffff0a010203')
  })
})

describe('generated codecs', () => {
  it('zero their padding, whatever was in the buffer', () => {
    const bytes = new Uint8Array(fdbKey.size).fill(0xff)
    fdbKey.encode({ vni: 100, mac: parseMac('02:00:00:01:00:09')! }, bytes)
    expect(Buffer.from(bytes).toString('hex')).toBe('640000000200000100090000')
  })

  it('read at an offset, from a buffer of many', () => {
    const bytes = new Uint8Array(3 * vtepKey.size)
    const key = { vni: 7, vtep: 'fd00::7' as Ip }
    vtepKey.encode(key, bytes, vtepKey.size)
    expect(vtepKey.decode(bytes, vtepKey.size)).toEqual(key)
    expect(vtepKey.decode(bytes, 0)).toEqual({ vni: 0, vtep: '::' })
  })

  it('take the zero VTEP of a local entry as ::', () => {
    const bytes = new Uint8Array(fdbEntry.size)
    fdbEntry.encode({ vtep: '::' as Ip, flags: 1, revision: 5 }, bytes)
    expect(fdbEntry.decode(bytes)).toEqual({ vtep: '::', flags: 1, revision: 5 })
  })

  it('write as many elements of a list as its count says, and zero the rest', () => {
    const bytes = new Uint8Array(segmentEntry.size).fill(0xff)
    const entry: SegmentEntry = {
      flags: 1,
      vtepCount: 2,
      portCount: 1,
      ageingS: 300,
      group: '239.1.1.1' as Ip,
      vtep: ['10.0.0.1', '10.0.0.2'] as Ip[],
      port: [9],
    }
    segmentEntry.encode(entry, bytes)
    expect(segmentEntry.decode(bytes)).toEqual(entry)
    expect(bytes.subarray(32 + 2 * 16, 32 + 16 * segmentEntryLimits.vtep).every((byte) => byte === 0)).toBe(
      true,
    )
  })

  it('refuse a count beyond the list, and a list beyond the array', () => {
    const bytes = new Uint8Array(segmentEntry.size)
    const entry: SegmentEntry = {
      flags: 0,
      vtepCount: 0,
      portCount: 2,
      ageingS: 0,
      group: '::' as Ip,
      vtep: [],
      port: [1],
    }
    expect(() => segmentEntry.encode(entry, bytes)).toThrow('count says 2 elements, the list has 1')
    const port = Array<number>(segmentEntryLimits.port + 1).fill(1)
    expect(() => segmentEntry.encode({ ...entry, port, portCount: port.length }, bytes)).toThrow(
      '257 elements do not fit an array of 256',
    )
  })

  it('do not believe a count that a program cannot have written', () => {
    const bytes = new Uint8Array(segmentEntry.size)
    codec.writeU32(bytes, 4, 0xffff_ffff)
    expect(segmentEntry.decode(bytes).vtep).toHaveLength(segmentEntryLimits.vtep)
  })
})

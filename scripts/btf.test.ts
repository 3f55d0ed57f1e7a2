import { describe, expect, it } from 'vitest'
import { parseBtf } from './btf.js'

// Hand-made BTF: a header of 24 bytes, types, strings.
function btf(types: number[][], strings: string): Uint8Array {
  const words = types.flat()
  const names = Buffer.from(`\0${strings}`)
  const bytes = Buffer.alloc(24 + 4 * words.length + names.length)
  bytes.writeUInt16LE(0xeb9f, 0)
  bytes.writeUInt8(1, 2)
  bytes.writeUInt32LE(24, 4)
  bytes.writeUInt32LE(4 * words.length, 12)
  bytes.writeUInt32LE(4 * words.length, 16)
  bytes.writeUInt32LE(names.length, 20)
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, 24 + 4 * i)
  names.copy(bytes, 24 + 4 * words.length)
  return bytes
}

const kind = (number: number, vlen = 0): number => (number << 24) | vlen

describe('parseBtf', () => {
  it('reads integers, structs with offsets in bytes, arrays and enums', () => {
    const types = parseBtf(
      btf(
        [
          [1, kind(1), 4, 32], // u32
          [0, kind(3), 0, 1, 1, 8], // u32[8]
          [5, kind(4, 2), 36, 9, 1, 0, 11, 2, 32], // struct key { a; b[8] }
          [13, kind(6, 2), 4, 15, 1, 19, 0xffffffff], // enum e { ONE = 1, BIG = … }
        ],
        'u32\0key\0a\0b\0e\0ONE\0BIG\0',
      ),
    )
    expect(types.slice(1)).toEqual([
      { kind: 'int', name: 'u32', size: 4, signed: false },
      { kind: 'array', name: '', element: 1, count: 8 },
      {
        kind: 'struct',
        name: 'key',
        size: 36,
        members: [
          { name: 'a', type: 1, offset: 0 },
          { name: 'b', type: 2, offset: 4 },
        ],
      },
      {
        kind: 'enum',
        name: 'e',
        size: 4,
        values: [
          ['ONE', 1],
          ['BIG', 0xffff_ffff],
        ],
      },
    ])
  })

  it('keeps what leads to a type by its name', () => {
    const types = parseBtf(btf([[1, kind(8), 2]], '__be16\0'))
    expect(types[1]).toEqual({ kind: 'reference', of: 'typedef', name: '__be16', type: 2 })
  })

  it('refuses bitfields, unknown kinds and other bytes', () => {
    const bitfield = [1, kind(4, 1) | 0x8000_0000, 4, 3, 1, 3 << 24]
    expect(() => parseBtf(btf([bitfield], 's\0b\0'))).toThrow('struct s has bitfields')
    expect(() => parseBtf(btf([[0, kind(31), 0]], ''))).toThrow('BTF kind 31')
    expect(() => parseBtf(new Uint8Array(24))).toThrow('not little-endian BTF')
  })
})

import { describe, expect, it } from 'vitest'
import { collectAbi } from './abi-layout.js'
import { abiDigest, abiText } from './abi-text.js'
import type { Btf, BtfType } from './btf.js'

type Fields = [name: string, type: number, offset: number][]

const u32 = 1
const base: BtfType[] = [
  { kind: 'other', name: 'void' },
  { kind: 'int', name: '__u32', size: 4, signed: false },
  { kind: 'reference', of: 'typedef', name: '__be16', type: 3 },
  { kind: 'int', name: 'unsigned short', size: 2, signed: false },
  { kind: 'array', name: '', element: u32, count: 4 },
  { kind: 'int', name: 'int', size: 4, signed: true },
]

function struct(name: string, size: number, fields: Fields): BtfType {
  return {
    kind: 'struct',
    name,
    size,
    members: fields.map(([n, type, offset]) => ({ name: n, type, offset })),
  }
}

/** The BTF of an object that shares `s` through `abi_types`. */
function object(size: number, fields: Fields): Btf {
  return [...base, struct('s', size, fields), struct('abi_types', size, [['s', base.length, 0]])]
}

function collect(size: number, fields: Fields): string {
  return abiText(collectAbi([['a.o', object(size, fields)]]))
}

describe('collectAbi', () => {
  it.each([
    [
      'a hole',
      12,
      [
        ['a', u32, 0],
        ['b', u32, 8],
      ],
      'struct s has a hole before b',
    ],
    ['a hole at the end', 8, [['a', u32, 0]], 'struct s has a hole at its end'],
    ['a signed member', 4, [['a', 5, 0]], 's.a is signed'],
  ] as [string, number, Fields, string][])('refuses %s', (_, size, fields, message) => {
    expect(() => collect(size, fields)).toThrow(message)
  })

  it('refuses two objects that disagree', () => {
    const one = object(4, [['a', u32, 0]])
    const other = object(4, [['b', u32, 0]])
    expect(() =>
      collectAbi([
        ['one.o', one],
        ['other.o', other],
      ]),
    ).toThrow('other.o: s differs')
  })

  it('does not depend on the order of the objects', () => {
    const one = object(4, [['a', u32, 0]])
    const other: Btf = [
      ...base,
      struct('t', 4, [['a', u32, 0]]),
      struct('abi_types', 4, [['t', base.length, 0]]),
    ]
    const forth = collectAbi([
      ['1', one],
      ['2', other],
    ])
    const back = collectAbi([
      ['2', other],
      ['1', one],
    ])
    expect(abiDigest(back)).toBe(abiDigest(forth))
  })

  it('changes the digest with any layout', () => {
    const digest = (name: string) => abiDigest(collectAbi([['o', object(4, [[name, u32, 0]])]]))
    expect(digest('a')).not.toBe(digest('b'))
  })
})

describe('abiText', () => {
  it('writes byte order, hides padding and camel-cases names', () => {
    const text = collect(4, [
      ['udp_port', 2, 0],
      ['pad', 3, 2],
    ])
    expect(text).toContain('readonly udpPort: number\n}')
    expect(text).toContain('writeBe16(out, at, value.udpPort)')
    expect(text).toContain('out.fill(0, at + 2, at + 4)')
    expect(text).toContain('udpPort: readBe16(bytes, at),')
    expect(text).not.toContain('pad:')
  })

  it('reads as many elements of an array as the count beside it says', () => {
    const text = collect(20, [
      ['port_count', u32, 0],
      ['port', 4, 4],
    ])
    expect(text).toContain('writeArray(value.port, value.portCount, 4, 4, out, at + 4, writeU32)')
    expect(text).toContain('port: readArray(readU32(bytes, at), 4, 4, bytes, at + 4, readU32),')
    expect(text).toContain('export const sLimits = {\n  port: 4,\n} as const')
  })
})

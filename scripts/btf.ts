import { parseElf, text } from '../src/node/bpf/elf.js'

/**
 * BTF, the type information in a BPF object (Linux,
 * Documentation/bpf/btf.rst), as far as generating layouts needs it.
 */
export type BtfType =
  | { readonly kind: 'int'; readonly name: string; readonly size: number; readonly signed: boolean }
  | { readonly kind: 'array'; readonly name: ''; readonly element: number; readonly count: number }
  | {
      readonly kind: 'struct'
      readonly name: string
      readonly size: number
      readonly members: readonly BtfMember[]
    }
  | {
      readonly kind: 'enum'
      readonly name: string
      readonly size: number
      readonly values: readonly (readonly [string, number])[]
    }
  | {
      readonly kind: 'section'
      readonly name: string
      /** Type ids of its variables. */
      readonly variables: readonly number[]
    }
  /** Types that only lead to another: ptr, typedef, const, volatile, var. */
  | { readonly kind: 'reference'; readonly of: string; readonly name: string; readonly type: number }
  | { readonly kind: 'other'; readonly name: string }

export interface BtfMember {
  readonly name: string
  readonly type: number
  /** Bytes from the start of the struct. */
  readonly offset: number
}

/** By type id; 0 is void. */
export type Btf = readonly BtfType[]

const MAGIC = 0xeb9f

// linux/btf.h. `extra`: bytes after the common 12, and for each of the vlen items.
const kinds: Readonly<Record<number, { kind: string; fixed: number; each: number }>> = {
  1: { kind: 'int', fixed: 4, each: 0 },
  2: { kind: 'ptr', fixed: 0, each: 0 },
  3: { kind: 'array', fixed: 12, each: 0 },
  4: { kind: 'struct', fixed: 0, each: 12 },
  5: { kind: 'union', fixed: 0, each: 12 },
  6: { kind: 'enum', fixed: 0, each: 8 },
  7: { kind: 'fwd', fixed: 0, each: 0 },
  8: { kind: 'typedef', fixed: 0, each: 0 },
  9: { kind: 'volatile', fixed: 0, each: 0 },
  10: { kind: 'const', fixed: 0, each: 0 },
  11: { kind: 'restrict', fixed: 0, each: 0 },
  12: { kind: 'func', fixed: 0, each: 0 },
  13: { kind: 'func_proto', fixed: 0, each: 8 },
  14: { kind: 'var', fixed: 4, each: 0 },
  15: { kind: 'datasec', fixed: 0, each: 12 },
  16: { kind: 'float', fixed: 0, each: 0 },
  17: { kind: 'decl_tag', fixed: 4, each: 0 },
  18: { kind: 'type_tag', fixed: 0, each: 0 },
  19: { kind: 'enum64', fixed: 0, each: 12 },
}
const references = new Set(['ptr', 'typedef', 'const', 'volatile', 'restrict', 'var', 'type_tag'])

/** Reads the types of an object file. @throws RangeError when it carries no BTF that we understand */
export function objectBtf(object: Uint8Array): Btf {
  const section = parseElf(object).sections.find(({ name }) => name === '.BTF')
  if (!section) throw new RangeError('the object has no .BTF section: compile with -g')
  return parseBtf(section.bytes)
}

/** @throws RangeError on a wrong magic and on kinds newer than this parser */
export function parseBtf(bytes: Uint8Array): Btf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint16(0, true) !== MAGIC) throw new RangeError('not little-endian BTF')
  const header = view.getUint32(4, true)
  const start = header + view.getUint32(8, true)
  const end = start + view.getUint32(12, true)
  const strings = bytes.subarray(header + view.getUint32(16, true))

  const types: BtfType[] = [{ kind: 'other', name: 'void' }]
  for (let at = start; at < end; ) {
    const info = view.getUint32(at + 4, true)
    const number = (info >>> 24) & 0x1f
    const kind = kinds[number]
    if (!kind) throw new RangeError(`BTF kind ${number} is not known here`)
    const vlen = info & 0xffff
    types.push(parseType(kind.kind, { view, strings, at, vlen, bitfields: info >>> 31 === 1 }))
    at += 12 + kind.fixed + kind.each * vlen
  }
  return types
}

interface Place {
  readonly view: DataView
  readonly strings: Uint8Array
  readonly at: number
  readonly vlen: number
  readonly bitfields: boolean
}

function parseType(kind: string, place: Place): BtfType {
  const { view, strings, at } = place
  const u32 = (offset: number): number => view.getUint32(at + offset, true)
  const name = text(strings, u32(0))
  const sizeOrType = u32(8)
  if (references.has(kind)) return { kind: 'reference', of: kind, name, type: sizeOrType }
  switch (kind) {
    case 'int':
      return { kind, name, size: sizeOrType, signed: ((u32(12) >>> 24) & 1) === 1 }
    case 'array':
      return { kind, name: '', element: u32(12), count: u32(20) }
    case 'struct':
      return { kind, name, size: sizeOrType, members: members(name, place) }
    case 'enum':
      return {
        kind,
        name,
        size: sizeOrType,
        values: items(place, 8, (o) => [text(strings, u32(o)), u32(o + 4)]),
      }
    case 'datasec':
      return { kind: 'section', name, variables: items(place, 12, (offset) => u32(offset)) }
    default:
      return { kind: 'other', name }
  }
}

function members(struct: string, place: Place): BtfMember[] {
  const { view, strings, at, bitfields } = place
  return items(place, 12, (offset) => {
    const bits = view.getUint32(at + offset + 8, true)
    if (bitfields && bits >>> 24 !== 0) throw new RangeError(`struct ${struct} has bitfields`)
    return {
      name: text(strings, view.getUint32(at + offset, true)),
      type: view.getUint32(at + offset + 4, true),
      offset: (bitfields ? bits & 0xffffff : bits) / 8,
    }
  })
}

function items<T>({ vlen }: Place, stride: number, item: (offset: number) => T): T[] {
  return Array.from({ length: vlen }, (_, i) => item(12 + i * stride))
}

import type { Btf, BtfType } from './btf.js'

/** How a value lies in memory and what it is in TypeScript. */
export type Layout =
  | { readonly kind: 'u8' | 'u16' | 'u32' | 'u64' | 'be16' | 'be32' | 'mac' | 'ip'; readonly size: number }
  | { readonly kind: 'struct'; readonly name: string; readonly size: number }
  | {
      readonly kind: 'array'
      readonly element: Layout
      readonly capacity: number
      /** The member `<name>_count` beside it, which says how many elements are used. */
      readonly countedBy?: string
      readonly size: number
    }

export interface Member {
  readonly name: string
  readonly offset: number
  readonly layout: Layout
  /** Named `pad` or `pad_…`: always zero, and not shown. */
  readonly padding: boolean
}

export interface Struct {
  readonly name: string
  readonly size: number
  readonly members: readonly Member[]
}

export interface Enumeration {
  readonly name: string
  readonly values: readonly (readonly [string, number])[]
}

export interface MapLayout {
  readonly name: string
  /** `enum bpf_map_type`. */
  readonly type: number
  readonly maxEntries: number
  readonly flags: number
  /** Struct names; absent on a ring buffer. */
  readonly key?: string
  readonly value?: string
}

/** All that crosses between the programs and user space. Sorted, so that it does not depend on the order of objects. */
export interface Abi {
  readonly structs: readonly Struct[]
  readonly enums: readonly Enumeration[]
  readonly maps: readonly MapLayout[]
}

/** In the BTF of an object, the struct whose members are the types that no map names. */
const EXTRA = 'abi_types'

/**
 * Collects the layouts of several objects. The same name must mean the same
 * layout everywhere.
 *
 * @throws RangeError on what the rules of bpf/abi/weft.h forbid, with its name
 */
export function collectAbi(objects: Iterable<readonly [path: string, btf: Btf]>): Abi {
  const found = { structs: new Map<string, Struct>(), enums: new Map(), maps: new Map() } as Found
  for (const [path, btf] of objects) {
    const one = new Collector(btf).collect()
    for (const kind of ['structs', 'enums', 'maps'] as const) merge(path, found[kind], one[kind])
  }
  return { structs: sorted(found.structs), enums: sorted(found.enums), maps: sorted(found.maps) }
}

interface Found {
  structs: Map<string, Struct>
  enums: Map<string, Enumeration>
  maps: Map<string, MapLayout>
}

function merge(
  path: string,
  into: Map<string, { name: string }>,
  from: ReadonlyMap<string, { name: string }>,
): void {
  for (const [name, value] of from) {
    const known = into.get(name)
    if (known && JSON.stringify(known) !== JSON.stringify(value)) {
      throw new RangeError(`${path}: ${name} differs from the one of another object`)
    }
    into.set(name, value)
  }
}

function sorted<T extends { readonly name: string }>(found: ReadonlyMap<string, T>): T[] {
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Walks the types of one object, from its maps and from `abi_types` on. */
class Collector {
  private readonly found: Found = { structs: new Map(), enums: new Map(), maps: new Map() }

  constructor(private readonly btf: Btf) {}

  collect(): Found {
    for (const type of this.btf) {
      if (type.kind === 'section' && type.name === '.maps') {
        for (const variable of type.variables) this.addMap(variable)
      }
      if (type.kind === 'struct' && type.name === EXTRA) {
        for (const member of type.members) this.add(member.type)
      }
    }
    return this.found
  }

  private addMap(id: number): void {
    const variable = this.type(id)
    if (variable.kind !== 'reference') throw new RangeError(`type ${id} of .maps is no variable`)
    const name = variable.name
    const definition = this.resolve(variable.type)
    if (definition.kind !== 'struct') throw new RangeError(`map ${name} is not defined by a struct`)
    const member = (wanted: string) => definition.members.find((candidate) => candidate.name === wanted)
    const number = (wanted: string): number => this.mapNumber(member(wanted)?.type)
    const struct = (wanted: string): string | undefined => {
      const pointer = member(wanted)
      return pointer && this.structName(`${wanted} of map ${name}`, this.pointee(pointer.type))
    }
    const [key, value] = [struct('key'), struct('value')]
    this.found.maps.set(name, {
      name,
      type: number('type'),
      maxEntries: number('max_entries'),
      flags: number('map_flags'),
      ...(key !== undefined && { key }),
      ...(value !== undefined && { value }),
    })
  }

  /** `__uint(name, n)` is a pointer to an array of n. */
  private mapNumber(pointer: number | undefined): number {
    if (pointer === undefined) return 0
    const array = this.resolve(this.pointee(pointer))
    return array.kind === 'array' ? array.count : 0
  }

  private structName(what: string, id: number): string {
    const layout = this.add(id)
    if (layout?.kind !== 'struct') throw new RangeError(`${what} must be a named struct`)
    return layout.name
  }

  private add(id: number): Layout | undefined {
    const type = this.resolve(id)
    if (type.kind !== 'enum') return this.layout(type.name, id)
    this.found.enums.set(type.name, { name: type.name, values: type.values })
    return undefined
  }

  private addStruct(type: BtfType & { kind: 'struct' }): void {
    if (type.name === '') throw new RangeError('a struct of the ABI has no name')
    if (this.found.structs.has(type.name)) return
    const names = new Set(type.members.map(({ name }) => name))
    const members = type.members.map(({ name, offset, type: id }): Member => {
      const layout = this.layout(`${type.name}.${name}`, id)
      const countedBy = `${name}_count`
      return {
        name,
        offset,
        layout: layout.kind === 'array' && names.has(countedBy) ? { ...layout, countedBy } : layout,
        padding: /^pad(_|$)/.test(name),
      }
    })
    requireNoHoles(type.name, type.size, members)
    this.found.structs.set(type.name, { name: type.name, size: type.size, members })
  }

  private layout(what: string, id: number): Layout {
    const named = this.namedLayout(id)
    if (named) return named
    const type = this.resolve(id)
    switch (type.kind) {
      case 'int':
        if (type.signed) throw new RangeError(`${what} is signed`)
        return integer(what, type.size)
      case 'enum':
        this.add(id)
        return integer(what, type.size)
      case 'array': {
        const element = this.layout(what, type.element)
        return { kind: 'array', element, capacity: type.count, size: element.size * type.count }
      }
      case 'struct':
        this.addStruct(type)
        return { kind: 'struct', name: type.name, size: type.size }
      default:
        throw new RangeError(`${what} is of a type that may not cross the ABI (${type.kind} ${type.name})`)
    }
  }

  /** Types whose name says more than their bytes: byte order, MAC, address. */
  private namedLayout(id: number): Layout | undefined {
    for (let type = this.type(id); ; type = this.type(type.type)) {
      const meaning = meanings[type.name]
      if (meaning) return meaning
      if (type.kind !== 'reference') return undefined
    }
  }

  private pointee(id: number): number {
    const type = this.type(id)
    if (type.kind !== 'reference' || type.of !== 'ptr') throw new RangeError(`type ${id} is no pointer`)
    return type.type
  }

  /** Follows typedefs and qualifiers. */
  private resolve(id: number): Exclude<BtfType, { kind: 'reference' }> {
    let type = this.type(id)
    while (type.kind === 'reference') {
      if (type.of === 'ptr') return { kind: 'other', name: 'pointer' }
      type = this.type(type.type)
    }
    return type
  }

  private type(id: number): BtfType {
    const type = this.btf[id]
    if (!type) throw new RangeError(`no BTF type ${id}`)
    return type
  }
}

const meanings: Readonly<Record<string, Layout>> = {
  __be16: { kind: 'be16', size: 2 },
  __be32: { kind: 'be32', size: 4 },
  mac_addr: { kind: 'mac', size: 6 },
  vtep_addr: { kind: 'ip', size: 16 },
  ip_addr: { kind: 'ip', size: 16 },
}

function integer(what: string, size: number): Layout {
  const kind = ({ 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' } as const)[size]
  if (!kind) throw new RangeError(`${what} has ${size} bytes`)
  return { kind, size }
}

/** Keys are compared as bytes: what the compiler leaves open must be named and zeroed. */
function requireNoHoles(struct: string, size: number, members: readonly Member[]): void {
  let end = 0
  for (const { name, offset, layout } of members) {
    if (offset !== end) throw new RangeError(`struct ${struct} has a hole before ${name}: name it pad`)
    end = offset + layout.size
  }
  if (end !== size) throw new RangeError(`struct ${struct} has a hole at its end: name it pad`)
}

/**
 * As much of ELF64, little-endian, as BPF objects need (System V gABI, chapters
 * 4 and "Symbol Table"): sections by name, and symbols with their place.
 */
export interface ElfSection {
  readonly name: string
  readonly index: number
  readonly bytes: Uint8Array
}

export interface ElfSymbol {
  readonly name: string
  /** Offset in its section. */
  readonly value: number
  readonly size: number
  readonly section: string
}

export interface Elf {
  readonly sections: readonly ElfSection[]
  readonly symbols: readonly ElfSymbol[]
}

const SYMTAB = 2
const SYMBOL_SIZE = 24
const NOBITS = 8

/** @throws RangeError when the bytes are no little-endian ELF64 file */
export function parseElf(bytes: Uint8Array): Elf {
  const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1]
  if (magic.some((byte, i) => bytes[i] !== byte)) throw new RangeError('not a little-endian ELF64 file')
  const headers = sectionHeaders(bytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const content = (header: SectionHeader): Uint8Array =>
    header.type === NOBITS ? new Uint8Array(0) : bytes.subarray(header.offset, header.offset + header.size)

  const names = content(headers[view.getUint16(62, true)]!)
  const sections = headers.map((header, index) => ({
    name: text(names, header.name),
    index,
    bytes: content(header),
  }))
  const table = headers.findIndex(({ type }) => type === SYMTAB)
  const symbols = table < 0 ? [] : parseSymbols(sections[table]!.bytes, headers[table]!.link, sections)
  return { sections, symbols }
}

/** The NUL-terminated string at `at`. */
export function text(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at)
  return new TextDecoder().decode(bytes.subarray(at, end < 0 ? bytes.length : end))
}

interface SectionHeader {
  readonly name: number
  readonly type: number
  readonly offset: number
  readonly size: number
  readonly link: number
}

function sectionHeaders(bytes: Uint8Array): SectionHeader[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = Number(view.getBigUint64(40, true))
  const stride = view.getUint16(58, true)
  return Array.from({ length: view.getUint16(60, true) }, (_, i) => {
    const at = start + i * stride
    return {
      name: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
      link: view.getUint32(at + 40, true),
    }
  })
}

function parseSymbols(table: Uint8Array, link: number, sections: readonly ElfSection[]): ElfSymbol[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength)
  const names = sections[link]!.bytes
  const symbols: ElfSymbol[] = []
  for (let at = 0; at < table.length; at += SYMBOL_SIZE) {
    symbols.push({
      name: text(names, view.getUint32(at, true)),
      value: Number(view.getBigUint64(at + 8, true)),
      size: Number(view.getBigUint64(at + 16, true)),
      section: sections[view.getUint16(at + 6, true)]?.name ?? '',
    })
  }
  return symbols
}

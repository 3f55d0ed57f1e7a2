import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { WeftError } from './errors.js'
import { didYouMean } from './guess.js'

/** One value with the place that gave it, as `/etc/weft/node.yaml:3:1`. */
export interface FileValue {
  readonly key: string
  readonly value: unknown
  readonly place: string
}

export interface ConfigFile {
  readonly values: readonly FileValue[]
  readonly problems: readonly string[]
}

/**
 * Reads one settings file: a flat YAML map of known keys.
 *
 * @returns `undefined` when there is no such file.
 * @throws WeftError W-4002 when it cannot be read.
 */
export function readConfigFile(path: string, known: readonly string[]): ConfigFile | undefined {
  const text = readText(path)
  if (text === undefined) return undefined
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  if (document.errors.length > 0) {
    return { values: [], problems: document.errors.map((err) => `${at(err.pos[0])} ${err.message}`) }
  }
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null))
    return { values: [], problems: [] }
  if (!isMap(contents))
    return { values: [], problems: [`${at(contents.range[0])} settings are a map of names to values`] }

  const values: FileValue[] = []
  const problems: string[] = []
  for (const { key, value } of contents.items) {
    const place = at(isScalar(key) && key.range ? key.range[0] : contents.range![0])
    const name = String(isScalar(key) ? key.value : key)
    if (!known.includes(name)) problems.push(`${place} ${name}: no such setting${didYouMean(name, known)}`)
    else values.push({ key: name, value: toJs(value), place })
  }
  return { values, problems }
}

/** The drop-ins of a directory in name order; none when it does not exist. */
export function dropIns(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.yaml'))
    return names.sort().map((name) => join(directory, name))
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new WeftError('W-4002', `cannot list ${directory}: ${(err as Error).message}`, { cause: err })
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new WeftError('W-4002', `cannot read ${path}: ${(err as Error).message}`, { cause: err })
  }
}

function toJs(node: unknown): unknown {
  return node !== null && typeof node === 'object' && 'toJSON' in node
    ? (node as { toJSON(): unknown }).toJSON()
    : node
}

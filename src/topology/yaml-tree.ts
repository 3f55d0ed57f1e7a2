import { isAlias, isCollection, isMap, isNode, isScalar, isSeq, type Pair } from 'yaml'
import type { Finding, Path, Span } from './problem.js'
import { pathText, show } from './words.js'
import { MAX_DEPTH } from './yaml-reader.js'

/** Where a value stands in the text. */
export interface Place {
  /** Of the key that leads to it. */
  readonly key?: Span
  readonly value: Span
  /** A mapping or list on lines of its own: it begins at its first key, which says little. */
  readonly block: boolean
  readonly children: ReadonlyMap<string | number, Place>
}

export interface Tree {
  /** Plain data; mappings have no prototype. */
  readonly data: unknown
  readonly place: Place
}

const MAX_ALIASES = 100
const MAX_VALUES = 200_000

const noChildren: Place['children'] = new Map()

/** Thrown and caught in this file only: the walk gives up, the finding says why. */
class TooComplex extends Error {
  constructor(readonly finding: Finding) {
    super(finding.message)
  }
}

/**
 * Turns YAML nodes into plain data and the places of its values, and adds to
 * `findings`; undefined when the file is too complex to look at further.
 *
 * Done here and not with `toJS`, because a file may come from anyone: aliases
 * must not multiply, `__proto__` must not vanish in silence, and keys must be
 * unique text (the check of `yaml` itself compares each key with all others).
 */
export function readTree(root: unknown, findings: Finding[]): Tree | undefined {
  try {
    return new Walk(findings).value(root, [], undefined, 0)
  } catch (thrown) {
    if (!(thrown instanceof TooComplex)) throw thrown
    findings.push(thrown.finding)
    return undefined
  }
}

class Walk {
  private readonly anchors = new Map<string, unknown>()
  private aliases = 0
  private values = 0

  constructor(private readonly findings: Finding[]) {}

  /** `fallback` is the offset of a value that has no text of its own. */
  value(node: unknown, path: Path, key: Span | undefined, fallback: number): Tree {
    const span = spanOf(node) ?? key ?? [fallback, fallback]
    if (++this.values > MAX_VALUES) throw tooComplex(span, `more than ${MAX_VALUES} values`)
    if (path.length > MAX_DEPTH) throw tooComplex(span, `more than ${MAX_DEPTH} levels of nesting`)
    if (isAlias(node)) return this.alias(node.source, path, key, span)
    if (isNode(node) && node.anchor) this.anchors.set(node.anchor, node)

    const block = isCollection(node) && node.flow !== true
    const place = { ...(key ? { key } : {}), value: span, block }
    if (isMap(node)) return this.mapping(node.items, path, place)
    if (isSeq(node)) return this.list(node.items, path, place)
    return { data: isScalar(node) ? node.value : null, place: { ...place, children: noChildren } }
  }

  private alias(anchor: string, path: Path, key: Span | undefined, span: Span): Tree {
    if (++this.aliases > MAX_ALIASES) throw tooComplex(span, `more than ${MAX_ALIASES} aliases`)
    const place = { ...(key ? { key } : {}), value: span, block: false }
    const target = this.anchors.get(anchor)
    if (target) {
      // What is wrong inside is wrong here, not where the anchor is.
      return { data: this.value(target, path, key, span[0]).data, place: { ...place, children: noChildren } }
    }
    this.findings.push({
      code: 'W-1000',
      path,
      message: `${pathText(path)}: there is no anchor &${anchor} before this`,
      span,
    })
    return { data: null, place: { ...place, children: noChildren } }
  }

  private list(items: readonly unknown[], path: Path, place: Omit<Place, 'children'>): Tree {
    const read = items.map((item, index) => this.value(item, [...path, index], undefined, place.value[0]))
    const children = new Map(read.map((item, index) => [index, item.place]))
    return { data: read.map((item) => item.data), place: { ...place, children } }
  }

  private mapping(pairs: readonly Pair[], path: Path, place: Omit<Place, 'children'>): Tree {
    const data: Record<string, unknown> = Object.create(null)
    const children = new Map<string, Place>()
    for (const pair of pairs) {
      const span = spanOf(pair.key) ?? place.value
      const key = this.keyOf(pair, path, span)
      if (key === undefined) continue
      const child = [...path, key]
      if (children.has(key)) {
        const message = `${pathText(child)} is there twice`
        this.findings.push({ code: 'W-1009', path: child, message, span })
        continue
      }
      const read = this.value(pair.value, child, span, span[0])
      children.set(key, read.place)
      data[key] = read.data
    }
    return { data, place: { ...place, children } }
  }

  private keyOf(pair: Pair, path: Path, span: Span): string | undefined {
    const written = isScalar(pair.key) ? pair.key.value : pair.key
    if (typeof written === 'string' && written !== '__proto__') return written

    const where = path.length === 0 ? '' : `${pathText(path)}: `
    const plain = isScalar(pair.key) && written !== null && written !== '__proto__'
    const what = isCollection(pair.key) ? 'a list or mapping' : isAlias(pair.key) ? 'an alias' : show(written)
    this.findings.push({
      code: 'W-1006',
      path,
      message: `${where}${what} cannot be a key; keys are text`,
      ...(plain ? { hint: `write it in quotes: "${show(written)}"` } : {}),
      span,
    })
    return undefined
  }
}

function spanOf(node: unknown): Span | undefined {
  if (!isNode(node) || !node.range) return undefined
  return [node.range[0], node.range[1]]
}

function tooComplex(span: Span, what: string): TooComplex {
  return new TooComplex({
    code: 'W-1010',
    path: [],
    message: `the file has ${what}`,
    span: [span[0], span[0] + 1],
  })
}

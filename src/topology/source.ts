import { LineCounter } from 'yaml'
import type { Finding, Path, Problem, Span } from './problem.js'
import { readYaml } from './yaml-reader.js'
import { type Place, readTree } from './yaml-tree.js'

/** Text of a topology with the places of its keys and values; opaque outside this folder. */
export interface Document {
  /** Without byte order mark. */
  readonly text: string
  readonly lines: LineCounter
  readonly root: Place
}

export interface Source {
  readonly document: Document
  /** Plain data, or undefined when there is nothing to check further. */
  readonly data: unknown
  readonly findings: readonly Finding[]
}

/** Largest file, in bytes of UTF-8. */
export const MAX_BYTES = 1024 * 1024

const nowhere: Place = { value: [0, 0], block: false, children: new Map() }

/** Reads YAML within bounds of size, depth and aliases. Never throws. */
export function readSource(given: string): Source {
  const text = withoutBom(given)
  if (isOver(text, MAX_BYTES)) {
    const message = `the file is larger than ${MAX_BYTES / 1024} KiB`
    return nothing('', { code: 'W-1008', path: [], message, span: [0, 0] })
  }
  const { contents, findings } = readYaml(text)
  if (findings.length > 0) return { document: documentOf(text, nowhere), data: undefined, findings }
  if (!contents || text.trim() === '') {
    return nothing(text, { code: 'W-1001', path: [], message: 'the file is empty', span: [0, 0] })
  }

  const found: Finding[] = []
  const tree = readTree(contents, found)
  const broken = found.some(({ code }) => code === 'W-1000')
  const data = broken ? undefined : tree?.data
  return { document: documentOf(text, tree?.place ?? nowhere), data, findings: found }
}

export function withoutBom(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

function nothing(text: string, finding: Finding): Source {
  return { document: documentOf(text, nowhere), data: undefined, findings: [finding] }
}

function documentOf(text: string, root: Place): Document {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1)
  return { text, lines, root }
}

function isOver(text: string, bytes: number): boolean {
  if (text.length > bytes) return true
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes
}

/** Gives findings their line and column, in file order, each once. */
export function placeFindings(document: Document, findings: readonly Finding[]): Problem[] {
  const seen = new Set<string>()
  const problems: Problem[] = []
  for (const finding of findings) {
    const problem = placed(document, finding)
    const identity = `${problem.line}:${problem.column} ${problem.code} ${problem.message}`
    if (!seen.has(identity)) problems.push(problem)
    seen.add(identity)
  }
  return problems.sort((a, b) => a.line - b.line || a.column - b.column)
}

function placed(document: Document, finding: Finding): Problem {
  const [start, end] = finding.span ?? spanOf(document.root, finding)
  const { line, col } = document.lines.linePos(Math.min(start, document.text.length))
  const lineEnd = document.text.indexOf('\n', start)
  const stop = Math.min(end, lineEnd < 0 ? document.text.length : lineEnd)
  const marked = document.text.slice(start, stop).trimEnd()
  return { ...finding, line, column: col, length: Math.max(1, marked.length) }
}

/** The nearest place that exists: what is missing has none, nor has what a default or a set made. */
function spanOf(root: Place, finding: Finding): Span {
  const path: Path = finding.at === 'parent' ? finding.path.slice(0, -1) : finding.path
  let place = root
  let found = true
  for (const part of path) {
    const child = place.children.get(part)
    found = child !== undefined
    if (!child) break
    place = child
  }
  const whole = finding.at === 'parent' || !found
  if (place.key && (finding.at === 'key' || (whole && place.block))) return place.key
  const [start] = place.value
  return whole && place.children.size > 0 ? [start, start + 1] : place.value
}

import type { Issue } from './issues.js'
import type { Finding, Path, Reference } from './problem.js'
import { childOf } from './schema/keys.js'

/**
 * What is left of a file when the entries that do not fit the schema are taken
 * out, so that the relations of the others can be checked in the same run.
 */
export interface Salvage {
  readonly data: unknown
  /** Whether a finding about the rest also holds for the whole file. */
  readonly holds: (finding: Finding) => boolean
  /** The path in the whole file: list entries may have moved up. */
  readonly original: (path: Path) => Path
}

/** Stand-ins for wrong scalars of the root; nothing is concluded from them. */
const standIns: Readonly<Record<string, unknown>> = {
  apiVersion: 'weft/v1',
  kind: 'Topology',
  name: 'unnamed',
  description: '',
}

/** Takes what the issues are about out of a copy of `data`. */
export function salvage(given: unknown, issues: readonly Issue[]): Salvage {
  const data = structuredClone(given)
  const removed: Path[] = []
  const lists = new Map<string, { path: Path; drop: Set<number> }>()
  for (const issue of issues) {
    for (const path of cutPoints(issue)) {
      const list = childAt(data, path.slice(0, -1))
      const last = path.at(-1)
      if (path.length === 1 && typeof last === 'string' && Object.hasOwn(standIns, last)) {
        Object.assign(data as object, { [last]: standIns[last] })
      } else if (Array.isArray(list) && typeof last === 'number') {
        const key = JSON.stringify(path.slice(0, -1))
        const entry = lists.get(key) ?? { path: path.slice(0, -1), drop: new Set() }
        lists.set(key, entry)
        entry.drop.add(last)
        removed.push(path)
      } else if (last !== undefined && typeof list === 'object' && list !== null) {
        delete (list as Record<string, unknown>)[last]
        if (issue.code !== 'unrecognized_keys') removed.push(path)
      }
    }
  }
  const kept = dropFromLists(data, lists)
  return {
    data,
    holds: (finding) => !finding.refers || !isUncertain(finding.refers, removed),
    original: (path) => originalPath(path, kept),
  }
}

/** The entry to take out for an issue: the smallest that can be missing without making others wrong. */
function cutPoints(issue: Issue): Path[] {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...path, key])
  const [section] = path
  if (section === 'lab') return [path.slice(0, 3)]
  const inList = section === 'networks' && typeof path[3] === 'number' && path[2] !== 'members'
  return [path.slice(0, inList ? 4 : 2)]
}

function dropFromLists(data: unknown, lists: Map<string, { path: Path; drop: Set<number> }>) {
  const kept = new Map<string, number[]>()
  for (const [key, { path, drop }] of lists) {
    const list = childAt(data, path)
    if (!Array.isArray(list)) continue
    const indices = list.map((_, index) => index).filter((index) => !drop.has(index))
    list.splice(0, list.length, ...indices.map((index) => list[index]))
    kept.set(key, indices)
  }
  return kept
}

function originalPath(path: Path, kept: ReadonlyMap<string, number[]>): Path {
  const out: (string | number)[] = []
  for (const [depth, part] of path.entries()) {
    const indices = typeof part === 'number' ? kept.get(JSON.stringify(path.slice(0, depth))) : undefined
    out.push(typeof part === 'number' ? (indices?.[part] ?? part) : part)
  }
  return out
}

/** A name that is not found may be declared in what was taken out. */
function isUncertain(reference: Reference, removed: readonly Path[]): boolean {
  return removed.some((path) => mayDeclare(path, reference))
}

function mayDeclare([section, key, entry]: Path, { kind, name }: Reference): boolean {
  const declared = (part: string | number | undefined) => part === undefined || part === name
  switch (kind) {
    case 'node':
      return section === 'node_sets' || (section === 'nodes' && declared(key))
    case 'node_set':
      return section === 'node_sets' && declared(key)
    case 'network':
      return section === 'networks' && declared(key)
    case 'port':
    case 'remote':
      return section === 'networks'
    case 'endpoint':
      if (section !== 'lab' || key === 'endpoint_sets') return section === 'lab'
      return key === undefined || (key === 'endpoints' && declared(entry))
    case 'segment':
      return section === 'lab' && (key === undefined || key === 'segments')
    case 'bridge':
      return section === 'lab' && (key === undefined || key === 'bridges')
  }
}

function childAt(data: unknown, path: Path): unknown {
  return path.reduce(childOf, data)
}

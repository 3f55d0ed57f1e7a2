import { discriminatorOptions, findingsOf, type Issue, valueAt } from './issues.js'
import { isLaterValue } from './later.js'
import type { Finding, Path } from './problem.js'
import { type Salvage, salvage } from './salvage.js'
import { type Topology, topology } from './schema/topology.js'
import { guess } from './words.js'

export interface Shape {
  /** Absent when there are findings. */
  readonly topology?: Topology
  readonly findings: readonly Finding[]
  /** Present when there are findings: what could be checked further. */
  readonly rest?: { readonly topology: Topology; readonly salvage: Salvage }
}

/** A union of unions is two deep; one round more finds nothing new. */
const ROUNDS = 3

/** Checks data against the schema and says everything that is wrong. */
export function checkShape(data: unknown): Shape {
  const findings: Finding[] = []
  const opaque: Path[] = []
  let value = data
  let issues: readonly Issue[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const result = topology.safeParse(value)
    if (result.success && round === 0) return { topology: result.data, findings }
    issues = result.error?.issues ?? []
    const undecided = issues.filter(isUndecided)
    if (undecided.length === 0) break
    // A wrong `mode` or `kind` would hide whatever else is wrong beside it.
    findings.push(...undecided.flatMap((issue) => findingsOf(issue, value)))
    value = decide(value, undecided, opaque)
  }

  const others = issues.filter((issue) => !isUndecided(issue) && !isHidden(issue, value, opaque))
  findings.push(...others.flatMap((issue) => findingsOf(issue, value)))
  const rest = salvage(value, [...issues, ...opaque.map(cut)])
  const salvaged = topology.safeParse(rest.data)
  return {
    findings: withoutSequels(findings),
    ...(salvaged.success ? { rest: { topology: salvaged.data, salvage: rest } } : {}),
  }
}

function isUndecided(issue: Issue): boolean {
  return issue.code === 'invalid_union' && issue.discriminator !== undefined
}

/** Sets each discriminator to what was probably meant; where that is anyone's guess, notes the entry. */
function decide(given: unknown, undecided: readonly Issue[], opaque: Path[]): unknown {
  const value = structuredClone(given)
  for (const issue of undecided) {
    const path = issue.path as Path
    const entry = path.slice(0, -1)
    const parent = valueAt(value, entry)
    if (typeof parent !== 'object' || parent === null) continue
    const options = discriminatorOptions(issue)
    const meant = guess(valueAt(value, path), options)
    const sole = options.length === 1 && !isLaterValue(path, valueAt(value, path))
    if (!sole && (meant === undefined || isLaterValue(path, valueAt(value, path)))) opaque.push(entry)
    Object.assign(parent, { [String(path.at(-1))]: meant ?? options[0] })
  }
  return value
}

/** Of an entry whose kind is unknown, nobody can say which keys it lacks or has too many. */
function isHidden(issue: Issue, data: unknown, opaque: readonly Path[]): boolean {
  if (!opaque.some((path) => path.every((part, depth) => issue.path[depth] === part))) return false
  return issue.code === 'unrecognized_keys' || valueAt(data, issue.path as Path) === undefined
}

function cut(path: Path): Issue {
  return { code: 'custom', path: [...path], message: '', input: undefined }
}

/** Beside a key of a later version, what is "missing" is missing on purpose. */
function withoutSequels(findings: readonly Finding[]): Finding[] {
  const parents = new Set(findings.filter(({ code }) => code === 'W-1108').map(parentOf))
  return findings.filter((finding) => finding.code !== 'W-1001' || !parents.has(parentOf(finding)))
}

function parentOf({ path }: Finding): string {
  return JSON.stringify(path.slice(0, -1))
}

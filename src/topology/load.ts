import type { DesiredTopology } from '../model/desired-state.js'
import { compileTopology } from './compile/compile.js'
import type { LabSpec } from './lab-spec.js'
import { readShape } from './parse.js'
import type { Finding, Path, Problem } from './problem.js'
import type { Topology } from './schema/topology.js'
import { type Document, placeFindings } from './source.js'
import { pathText } from './words.js'

export interface Loaded {
  /** These three: absent when there are problems. */
  readonly topology?: Topology
  readonly desired?: DesiredTopology
  /** Only with `{ lab: true }`. */
  readonly lab?: LabSpec
  readonly document: Document
  readonly problems: readonly Problem[]
}

/**
 * Parses and compiles: all problems of shape and of relation at once. With
 * `lab`, the ports of the endpoints are part of the desired networks.
 */
export function loadTopology(text: string, opts: { lab?: boolean } = {}): Loaded {
  const { document, shape, findings } = readShape(text)
  if (!shape?.topology || findings.length > 0) {
    const related = shape ? relationsOfRest(shape) : []
    return { document, problems: placeFindings(document, [...findings, ...related]) }
  }
  const { desired, lab, problems } = compileTopology(shape.topology, opts)
  return {
    ...(desired ? { topology: shape.topology, desired } : {}),
    ...(lab ? { lab } : {}),
    document,
    problems: placeFindings(document, problems),
  }
}

/** Wrong relations between the entries whose shape is right, when others are wrong. */
function relationsOfRest(shape: NonNullable<ReturnType<typeof readShape>['shape']>): Finding[] {
  if (shape.topology) return [...compileTopology(shape.topology).problems]
  if (!shape.rest) return []
  const { topology, salvage } = shape.rest
  const { problems } = compileTopology(topology)
  return problems.filter(salvage.holds).map((finding) => moved(finding, salvage.original(finding.path)))
}

function moved(finding: Finding, path: Path): Finding {
  const before = pathText(finding.path)
  const message = finding.message.startsWith(before)
    ? `${pathText(path)}${finding.message.slice(before.length)}`
    : finding.message
  return { ...finding, path, message }
}

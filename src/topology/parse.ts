import { checkShape, type Shape } from './check-shape.js'
import type { Finding, Problem } from './problem.js'
import type { Topology } from './schema/topology.js'
import { type Document, placeFindings, readSource } from './source.js'

export interface ParsedTopology {
  /** Absent when there are problems. */
  readonly topology?: Topology
  readonly document: Document
  /** All problems of the file's shape, in file order. */
  readonly problems: readonly Problem[]
}

/** Reads YAML (JSON is YAML too) against the schema. Never throws. */
export function parseTopology(text: string): ParsedTopology {
  const { document, shape, findings } = readShape(text)
  const problems = placeFindings(document, findings)
  const clean = problems.length === 0 && shape?.topology
  return { ...(clean ? { topology: clean } : {}), document, problems }
}

interface ShapeRead {
  readonly document: Document
  /** Absent when the text is no readable YAML. */
  readonly shape?: Shape
  /** Of text and shape together. */
  readonly findings: readonly Finding[]
}

/** The step before relations: text to shape, findings not yet placed. */
export function readShape(text: string): ShapeRead {
  const { document, data, findings } = readSource(text)
  if (data === undefined) return { document, findings }
  const shape = checkShape(data)
  return { document, shape, findings: [...findings, ...shape.findings] }
}

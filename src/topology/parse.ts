import type { Problem } from './problem.js'
import type { Topology } from './schema/topology.js'
import type { Document } from './source.js'

export interface ParsedTopology {
  /** Absent when there are problems. */
  readonly topology?: Topology
  readonly document: Document
  /** All problems of the file's shape, in file order. */
  readonly problems: readonly Problem[]
}

/** Reads YAML (JSON is YAML too) against the schema. Never throws. */
export function parseTopology(_text: string): ParsedTopology {
  throw new Error('being written')
}

import type { DesiredTopology } from '../model/desired-state.js'
import type { LabSpec } from './lab-spec.js'
import type { Problem } from './problem.js'
import type { Topology } from './schema/topology.js'
import type { Document } from './source.js'

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
export function loadTopology(_text: string, _opts: { lab?: boolean } = {}): Loaded {
  throw new Error('being written')
}

import type { DesiredTopology } from '../../model/desired-state.js'
import type { LabSpec } from '../lab-spec.js'
import type { Finding } from '../problem.js'
import type { Topology } from '../schema/topology.js'

export interface Compiled {
  /** Absent when there are problems. */
  readonly desired?: DesiredTopology
  /** Present when asked for and there are no problems. */
  readonly lab?: LabSpec
  readonly problems: readonly Finding[]
}

/** Resolves references and sets, fills in defaults, checks what no single field can say. */
export function compileTopology(_topology: Topology, _opts: { lab?: boolean } = {}): Compiled {
  throw new Error('being written')
}

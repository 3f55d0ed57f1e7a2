import type { DesiredTopology } from '../model/desired-state.js'
import type { Finding } from './problem.js'

/**
 * Conflicts of `desired` with topologies already in force; one of the same name
 * is what it replaces and is passed over.
 */
export function checkAgainst(_desired: DesiredTopology, _others: readonly DesiredTopology[]): Finding[] {
  throw new Error('being written')
}

import type { DesiredTopology } from '../model/desired-state.js'

export interface Change {
  readonly op: 'add' | 'change' | 'remove'
  /** `networks.red.mtu` */
  readonly path: string
  /** As text for people. */
  readonly from?: string
  readonly to?: string
  /** What it does to traffic: `live`, `brief: …` or `ports stop`. */
  readonly effect: string
}

/** What applying `to` would change; `from` is undefined for a topology that is new. */
export function diffDesired(_from: DesiredTopology | undefined, _to: DesiredTopology): Change[] {
  throw new Error('being written')
}

/** The table of `weft diff` with its closing line. */
export function formatChanges(_changes: readonly Change[], _revision: bigint | number | string): string {
  throw new Error('being written')
}

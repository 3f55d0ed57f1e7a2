import type { NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import { decideFastPath } from '../reconcile/fast-path.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { NodeStatus } from '../status.js'
import type { Links } from './links.js'

/** Decides where the fast path runs, for the drivers after it. Being without is no failure: the slow path does it all. */
export class FastPathDriver implements Driver<NodeState> {
  readonly name = 'fast path'

  constructor(
    private readonly links: Links,
    private readonly status: NodeStatus,
    private readonly missing: string | undefined,
  ) {}

  async apply(state: NodeState): Promise<Failure[]> {
    await this.links.refresh()
    this.status.fastPath = decideFastPath(state, this.links.byName, this.missing)
    return []
  }
}

import type { ApplyResult } from '../../api/topology.js'
import { WeftError } from '../../common/errors.js'
import type { DesiredTopology } from '../../model/desired-state.js'
import type { Control, WaitResult } from '../control.js'

export interface ApplyRequest {
  readonly ifMatch: bigint | undefined
  readonly dry_run?: boolean | undefined
  readonly wait: 'stored' | 'programmed'
  /** Milliseconds. */
  readonly timeout: number
}

type OnStages = (stages: ApplyResult['stages']) => void

/**
 * Stores a topology and waits as long as asked. Times count from the call.
 *
 * @throws WeftError W-3008 when the wait ran out, with how far it came as `details.result`; the change is stored then.
 */
export async function applyTopology(
  control: Control,
  desired: DesiredTopology,
  source: string,
  request: ApplyRequest,
  onStages: OnStages,
): Promise<ApplyResult> {
  const began = performance.now()
  const dryRun = request.dry_run ?? false
  const { revision, stored_ms, unchanged } = await control.apply(desired, source, {
    dryRun,
    ...(request.ifMatch === undefined ? {} : { ifMatch: request.ifMatch }),
  })
  const names = desired.nodes.filter((node) => node.underlay).map((node) => node.name)
  const result = (waited: WaitResult | undefined, before: number): ApplyResult => ({
    name: desired.name,
    revision: Number(revision),
    unchanged,
    dry_run: dryRun,
    stages: {
      stored_ms,
      sent_ms: waited?.sent_ms === undefined ? null : before + waited.sent_ms,
      programmed_ms: waited?.programmed_ms === undefined ? null : before + waited.programmed_ms,
    },
    nodes: {
      total: names.length,
      slowest: waited?.slowest ?? null,
      late: (waited?.late ?? []).map((name) => ({ name, last_heard_at: lastHeard(control, name) })),
    },
    failures: waited ? failuresOf(control, names) : [],
  })
  if (dryRun || request.wait === 'stored') {
    if (!dryRun && !unchanged) onStages(result(undefined, 0).stages)
    return result(undefined, 0)
  }

  const before = performance.now() - began
  const waited = await control.waitProgrammed(revision, names, AbortSignal.timeout(request.timeout))
  const outcome = result(waited, before)
  if (!unchanged) onStages(outcome.stages)
  if (waited.late.length === 0) return outcome
  const seconds = request.timeout / 1000
  throw new WeftError(
    'W-3008',
    `after ${seconds} s ${waited.late.length} of ${names.length} nodes have not programmed revision ${revision}: ${waited.late.join(', ')}. The change is stored.`,
    { next: 'weft get nodes', details: { result: outcome } },
  )
}

function lastHeard(control: Control, name: string): string | null {
  return control.nodes().find((node) => node.name === name)?.last_heard_at ?? null
}

function failuresOf(control: Control, names: readonly string[]): ApplyResult['failures'] {
  const ours = new Set(names)
  return control
    .nodes()
    .filter(({ name }) => ours.has(name))
    .flatMap(({ name, failures }) => failures.map((failure) => ({ node: name, ...failure })))
}

import type { Logger } from '../common/logger.js'
import type { Failure } from '../rpc/records.js'
import { openAnswerers } from './answers/answerers.js'
import type { Answering } from './answers/answering.js'
import type { ProbeEvent } from './bpf/abi.gen.js'
import type { Dataplane } from './drivers/dataplane.js'
import { Paths } from './probes/paths.js'
import type { NodeStatus } from './status.js'
import { Taps } from './taps/taps.js'
import type { LearnedJournal } from './telemetry/learned-journal.js'

export interface FrameToolsDeps {
  readonly dataplane: Dataplane
  readonly status: NodeStatus
  /** Of moves that no controller keeps. */
  readonly journal: LearnedJournal
  readonly answering: Answering
  /** Makes the reconciler pass. */
  readonly nudge: () => void
  readonly log: Logger
}

/** What looks at frames and sends some of its own: taps, answers to questions, probes of paths. */
export class FrameTools implements Disposable {
  private readonly taps: Taps
  private readonly paths: Paths
  private readonly answers: ReturnType<typeof openAnswerers>

  constructor(private readonly deps: FrameToolsDeps) {
    const { dataplane, status, journal, nudge, log } = deps
    const onError = (err: unknown) => log.error({ err }, 'watched frame not understood')
    this.taps = new Taps({ dataplane, status, nudge, onError })
    this.paths = new Paths({ program: dataplane.program('probe'), status, log, changed: nudge })
    this.answers = openAnswerers(dataplane, status, journal, this.taps)
  }

  get failures(): readonly Failure[] {
    return this.paths.failures
  }

  heard(probe: ProbeEvent): void {
    this.paths.heard(probe)
  }

  /** The reconciler has passed: what is in the kernel can be asked about. */
  passed(): void {
    this.deps.answering.use(this.answers.answerers)
    this.taps.passed()
  }

  run(signal: AbortSignal): Promise<void> {
    return this.paths.run(signal)
  }

  [Symbol.dispose](): void {
    this.deps.answering.use(undefined)
    this.taps[Symbol.dispose]()
    this.answers[Symbol.dispose]()
  }
}

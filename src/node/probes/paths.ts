import { pause } from '../../common/backoff.js'
import { SyscallError } from '../../common/errors.js'
import type { Logger } from '../../common/logger.js'
import type { Failure } from '../../rpc/records.js'
import { type ProbeEvent, ProbeKind } from '../bpf/abi.gen.js'
import type { BpfProgram } from '../bpf/object.js'
import type { NodeStatus } from '../status.js'
import { pathFailures, pathNeeds } from './path-needs.js'
import { PathPlan } from './path-plan.js'
import { PROBE_BYTES, type Probe } from './probe-frame.js'
import { sendIntoTunnel } from './sending.js'

const INTERVAL_MS = 30_000
const WAIT_MS = 500
const TRIES = 3
/** Also of replies: no peer can make us busy. */
const PER_SECOND = 100
const TURN_MS = 50
const US = 2 ** 32

export interface PathsDeps {
  /** `probe` */
  readonly program: BpfProgram
  readonly status: NodeStatus
  readonly log: Logger
  /** A path became too small, or is not any more. */
  readonly changed: () => void
}

/**
 * Probes the paths to the other VTEPs of this node's segments through the very
 * tunnels that frames take, and answers probes of others.
 */
export class Paths {
  private readonly plan = new PathPlan({
    intervalMs: INTERVAL_MS,
    waitMs: WAIT_MS,
    tries: TRIES,
    perSecond: PER_SECOND,
    least: PROBE_BYTES,
    random: Math.random,
  })
  private bad = ''
  private replies = 0
  private repliesSince = 0

  constructor(private readonly deps: PathsDeps) {}

  get failures(): Failure[] {
    return pathFailures(this.deps.status.paths)
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.turn()
      await pause(TURN_MS, signal)
    }
  }

  /** A probe came in by the tunnel. */
  heard({ vni, vtep, size, atNs, header }: ProbeEvent): void {
    if (header.kind === ProbeKind.PROBE_REQUEST) {
      // Cut on its way, it proves nothing.
      if (size >= header.size) this.reply({ ...header, vni, to: vtep }, atNs)
      return
    }
    if (header.kind !== ProbeKind.PROBE_REPLY) return
    const rttUs = (Math.round(atNs / 1000) - header.sentUs - header.heldUs + 2 * US) % US
    this.plan.answered(vtep, header.sequence, rttUs, performance.now())
    this.publish()
  }

  private turn(): void {
    const { applied, tunnel, ports } = this.deps.status
    if (!applied || !tunnel) return
    const nowMs = performance.now()
    this.plan.update(pathNeeds(applied, ports), nowMs)
    for (const { to, vni, size, sequence } of this.plan.due(nowMs)) {
      const kind = ProbeKind.PROBE_REQUEST
      this.send({ kind, vni, sequence, size, sentUs: clockUs(), heldUs: 0, to }, size)
    }
    this.publish()
  }

  private reply(probe: Omit<Probe, 'kind' | 'heldUs'>, atNs: number): void {
    const nowMs = performance.now()
    if (nowMs - this.repliesSince >= 1000) {
      this.repliesSince = nowMs
      this.replies = 0
    }
    if (this.replies++ >= 10 * PER_SECOND) return
    const heldUs = Math.max(0, clockUs() - Math.round(atNs / 1000)) % US
    this.send({ ...probe, kind: ProbeKind.PROBE_REPLY, heldUs }, PROBE_BYTES)
  }

  // What does not even leave is a probe that is not answered.
  private send(probe: Probe, bytes: number): void {
    try {
      sendIntoTunnel(this.deps.program, { ...probe, sentUs: probe.sentUs % US }, bytes)
    } catch (err) {
      if (!(err instanceof SyscallError)) throw err
      this.deps.log.debug({ err, to: probe.to, bytes }, 'probe did not leave')
    }
  }

  private publish(): void {
    this.deps.status.paths = this.plan.states()
    const bad = JSON.stringify(this.failures)
    if (bad === this.bad) return
    this.bad = bad
    this.deps.changed()
  }
}

/** CLOCK_MONOTONIC, as the programs stamp it. */
function clockUs(): number {
  return Math.round(Number(process.hrtime.bigint()) / 1000)
}

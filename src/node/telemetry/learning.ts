import type { Logger } from '../../common/logger.js'
import {
  type BindingEvent,
  type MacEvent,
  MacEventFlag,
  NeighborFlag,
  type ProbeEvent,
} from '../bpf/abi.gen.js'
import { RingReader } from '../bpf/ring.js'
import type { Dataplane } from '../drivers/dataplane.js'
import type { NodeStatus } from '../status.js'
import { NewestInbox } from '../sync/inbox.js'
import type { Uplink } from '../sync/uplink.js'
import { readEvent } from './events.js'
import { LearnedAudit } from './learned-audit.js'
import type { LearnedJournal } from './learned-journal.js'
import type { Surroundings } from './learned-judgement.js'
import { LocalBindings } from './local-bindings.js'
import { LocalMacs } from './local-macs.js'
import { seenMove } from './seen-move.js'

/** Between two dumps of what was learned; they cost at most one part in fifty of a CPU. */
const AUDIT_MS = 2_000
const AUDIT_SHARE = 50
/** Announcements kept for a controller that takes no more just now. */
const MOST_WAITING = 1024

export interface LearningDeps {
  readonly dataplane: Dataplane
  readonly status: NodeStatus
  readonly uplink: Uplink
  readonly journal: LearnedJournal
  readonly log: Logger
  /** A probe of another daemon came in by the tunnel. */
  readonly onProbe: (event: ProbeEvent) => void
}

/**
 * Keeps what the programs learned true, and tells the controller which MACs and
 * addresses are on this node's ports. Ring events make it quick; the audit makes
 * it true, for events may be lost. Without a controller the audit goes on.
 */
export class Learning implements Disposable {
  private readonly bindings = new LocalBindings()
  private readonly macs = new LocalMacs((mac) => this.bindings.addressesOf(mac))
  private readonly audit: LearnedAudit
  private readonly ring: RingReader
  private readonly wake = new NewestInbox<never>()
  private heardMacs: MacEvent[] = []
  private heardBindings: BindingEvent[] = []
  /** The stream that was told everything, and under which VTEP the controller filed it. */
  private told = ''
  private auditAt = 0

  constructor(private readonly deps: LearningDeps) {
    const { dataplane, status, log, onProbe } = deps
    this.audit = new LearnedAudit(dataplane, status, this.macs, this.bindings)
    const handlers = {
      onMac: (event: MacEvent) => this.hearMac(event),
      onBinding: (event: BindingEvent) => this.hearBinding(event),
      onProbe,
    }
    this.ring = new RingReader(
      dataplane.eventsFd,
      (view, at, length) => readEvent(new Uint8Array(view.buffer, view.byteOffset + at, length), handlers),
      { onError: (err) => log.error({ err }, 'event not understood') },
    )
  }

  /** The kernel holds a new state. */
  nudge(): void {
    this.wake.nudge()
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const untilAudit = Math.max(0, this.auditAt - performance.now())
      if ((await this.wake.wait(untilAudit, signal)) === 'stopped') return
      this.turn()
    }
  }

  [Symbol.dispose](): void {
    this.ring[Symbol.dispose]()
    this.audit[Symbol.dispose]()
  }

  private hearMac(event: MacEvent): void {
    const move = seenMove(event, this.deps.status)
    if (move) this.deps.journal.add(move)
    if (event.ifindex === 0) return
    this.heardMacs.push(event)
    this.wake.nudge()
  }

  private hearBinding(event: BindingEvent): void {
    this.heardBindings.push(event)
    this.wake.nudge()
  }

  private turn(): void {
    const { uplink, status } = this.deps
    const due = performance.now() >= this.auditAt
    if (!status.applied) {
      if (due) this.auditAt = performance.now() + AUDIT_MS
      return
    }
    if (uplink.congested && uplink.generation !== 0) this.wait(due)
    else this.tell(this.surroundings(status.applied), due)
  }

  // What is not told now is found by the audit; only that a station announced itself is not.
  private wait(due: boolean): void {
    const announced = this.heardMacs.filter(isAnnounced)
    this.heardMacs = announced.slice(-MOST_WAITING)
    this.heardBindings = []
    if (due) this.auditAt = performance.now() + AUDIT_MS
  }

  private tell(around: Surroundings, due: boolean): void {
    const { uplink } = this.deps
    // Nobody listens: the next stream is told everything.
    const audience = uplink.generation === 0 ? '' : `${uplink.generation} ${around.state.assignment.vtep}`
    const complete = audience !== this.told && audience !== ''
    this.told = audience
    if (complete) {
      this.macs.reset()
      this.runAudit(around, true)
    }
    const claims = this.settle(around)
    if (claims.length > 0) uplink.send({ kind: 'claims', claims: { complete: false, claims } })
    if (due && !complete) this.runAudit(around, false)
  }

  /** What the events of this turn call for. Addresses first, for the claims name them. */
  private settle(around: Surroundings) {
    const changed = this.heardBindings.flatMap((event) => this.bindings.hear(heardBinding(event), around))
    const claims = this.heardMacs.flatMap(
      (event) =>
        this.macs.hear({ ...event, sinceNs: event.atNs, seenNs: event.atNs }, around, isAnnounced(event)) ??
        [],
    )
    this.heardBindings = []
    this.heardMacs = []
    return [...claims, ...changed.flatMap((mac) => this.macs.readdress(mac, around) ?? [])]
  }

  private runAudit(around: Surroundings, complete: boolean): void {
    const start = performance.now()
    const claims = this.audit.run(around)
    if (complete || claims.length > 0) this.deps.uplink.send({ kind: 'claims', claims: { complete, claims } })
    this.auditAt = start + Math.max(AUDIT_MS, (performance.now() - start) * AUDIT_SHARE)
  }

  private surroundings(state: NonNullable<NodeStatus['applied']>): Surroundings {
    return {
      state,
      ports: new Map(this.deps.status.ports.map((port) => [port.ifindex, port])),
      nowNs: Number(process.hrtime.bigint()), // CLOCK_MONOTONIC, as bpf_ktime_get_coarse_ns
    }
  }
}

function isAnnounced({ flags }: MacEvent): boolean {
  return (flags & MacEventFlag.MAC_ANNOUNCED) !== 0
}

function heardBinding(event: BindingEvent) {
  const router = (event.flags & NeighborFlag.NEIGHBOR_ROUTER) !== 0
  return { ...event, router, sinceNs: event.atNs, seenNs: event.atNs }
}

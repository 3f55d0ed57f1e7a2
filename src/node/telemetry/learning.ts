import type { Logger } from '../../common/logger.js'
import { EventKind, maps as layouts, macEvent, type ProbeEvent, probeEvent } from '../bpf/abi.gen.js'
import { RingReader } from '../bpf/ring.js'
import type { Dataplane, MapOf } from '../drivers/dataplane.js'
import type { NodeStatus } from '../status.js'
import { NewestInbox } from '../sync/inbox.js'
import type { Uplink } from '../sync/uplink.js'
import { type HeardMac, LocalMacs, type Surroundings } from './local-macs.js'

/** Between two dumps of `learned`; they cost at most one part in fifty of a CPU. */
const AUDIT_MS = 2_000
const AUDIT_SHARE = 50

export interface LearningDeps {
  readonly dataplane: Dataplane
  readonly status: NodeStatus
  readonly uplink: Uplink
  readonly log: Logger
  /** A probe of another daemon came in by the tunnel. */
  readonly onProbe: (event: ProbeEvent) => void
}

/**
 * Tells the controller which MACs are on this node's ports. Ring events make it
 * quick; the dump of `learned` makes it true, for events may be lost.
 */
export class Learning implements Disposable {
  private readonly macs = new LocalMacs()
  private readonly learned: MapOf<'learned'>
  private readonly ring: RingReader
  private readonly wake = new NewestInbox<never>()
  private heard: HeardMac[] = []
  /** The stream that was told everything, and under which VTEP the controller filed it. */
  private told = ''
  private auditAt = 0

  constructor(private readonly deps: LearningDeps) {
    this.learned = deps.dataplane.map('learned')
    this.ring = new RingReader(
      deps.dataplane.eventsFd,
      (view, offset, length) => this.take(new Uint8Array(view.buffer, view.byteOffset + offset, length)),
      { onError: (err) => deps.log.error({ err }, 'event not understood') },
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
    this.learned[Symbol.dispose]()
  }

  private take(bytes: Uint8Array): void {
    const kind = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    if (kind === EventKind.EVENT_PROBE) this.deps.onProbe(probeEvent.decode(bytes))
    if (kind !== EventKind.EVENT_MAC_LEARNED && kind !== EventKind.EVENT_MAC_MOVED) return
    const { vni, mac, ifindex, atNs } = macEvent.decode(bytes)
    this.heard.push({ vni, mac, ifindex, sinceNs: atNs, seenNs: atNs })
    this.wake.nudge()
  }

  private turn(): void {
    const { uplink, status } = this.deps
    const heard = this.heard
    this.heard = []
    const due = performance.now() >= this.auditAt
    // What is not told now is found by the audit, once somebody listens.
    if (!status.applied || uplink.generation === 0 || uplink.congested) {
      if (due) this.auditAt = performance.now() + AUDIT_MS
      return
    }
    const around = this.surroundings(status.applied)
    const audience = `${uplink.generation} ${status.applied.assignment.vtep}`
    const complete = audience !== this.told
    this.told = audience
    if (complete || due) this.audit(around, complete)
    else this.tell(heard, around)
  }

  private tell(heard: readonly HeardMac[], around: Surroundings): void {
    const claims = heard.flatMap((one) => this.macs.hear(one, around) ?? [])
    if (claims.length > 0) this.deps.uplink.send({ kind: 'claims', claims: { complete: false, claims } })
  }

  private audit(around: Surroundings, complete: boolean): void {
    const { uplink, status } = this.deps
    const start = performance.now()
    if (complete) this.macs.reset()
    const entries = this.learned.entries()
    const all = entries.map(([key, value]): HeardMac => ({ ...key, ...value }))
    const { claims, forget } = this.macs.audit(all, around)
    this.learned.deleteMany(forget)
    status.evictions = this.macs.evictions
    if (complete || claims.length > 0) uplink.send({ kind: 'claims', claims: { complete, claims } })
    const { maxEntries } = layouts.learned
    status.maps.set('learned', {
      map: 'learned',
      entries: entries.length - forget.length,
      max_entries: maxEntries,
    })
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

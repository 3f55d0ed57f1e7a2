import { backoffMs, pause } from '../../common/backoff.js'
import { WeftError } from '../../common/errors.js'
import type { Logger } from '../../common/logger.js'
import { formatMac, type Mac } from '../../model/mac.js'
import type { Claims } from '../../rpc/records.js'
import type { ClaimRefusal } from '../control.js'
import type { PageWrite } from '../view/claim-draft.js'
import { type ClaimPlan, newerWord, type PendingNode, planClaims } from '../view/claim-plan.js'
import type { ClusterView } from '../view/cluster-view.js'
import { encodeJournal, isFrozen, MOVES, WINDOW_MS } from '../view/mac-journal.js'
import { encodePage } from '../view/owner-page.js'
import type { EtcdClient, WriteOp } from './etcd-client.js'
import type { Keys } from './keys.js'

export interface ClaimCounters {
  readonly refused: Record<ClaimRefusal, number>
  taken: number
  moves: number
}

export interface ClaimsWriterOptions {
  readonly client: EtcdClient
  readonly keys: Keys
  readonly view: ClusterView
  /** Resolves when the view holds `revision`, or after a while without it. */
  readonly caughtUp: (revision: bigint, signal: AbortSignal) => Promise<void>
  readonly counters: ClaimCounters
  readonly log: Logger
}

// What nodes may have said while etcd was away; beyond it they say it again.
const MAX_PENDING = 200_000
const ECHO_PAUSE_MS = 20
/**
 * MACs with a journal, over all segments: 16 MiB at 4 KiB each. The longest
 * unchanged go, in the transaction that needs their room; two controllers that
 * write at once can go past it by what one transaction holds.
 */
const MAX_JOURNALS = 4_096
const MAX_EVICTED = 16

/**
 * Turns what nodes learned into owner pages. Every change of a segment's pages
 * also writes the segment's guard, on the condition that it is as it was when
 * the change was decided: of two controllers, or two nodes that claim one MAC,
 * one is decided after the other, and a MAC is never in two pages.
 */
export class ClaimsWriter {
  private readonly pending = new Map<number, Map<string, PendingNode>>()
  private pendingClaims = 0
  private wake: (() => void) | undefined

  constructor(private readonly options: ClaimsWriterOptions) {}

  frozen(vni: number, mac: Mac): boolean {
    return isFrozen(this.options.view.journals.get(vni, mac), Date.now())
  }

  /** Takes what `node` says; it is decided and written later, newest word first. */
  take(node: string, { complete, claims }: Claims): void {
    if (complete) this.replace(node)
    for (const { vni, ...claim } of claims) {
      if (this.pendingClaims >= MAX_PENDING) {
        this.options.counters.refused.store++
        continue
      }
      const { claims: known } = this.of(vni, node)
      const before = known.get(claim.mac)
      if (!before) this.pendingClaims++
      known.delete(claim.mac) // to the end: order is that of the node's words
      known.set(claim.mac, newerWord(before, { ...claim, weak: complete }))
    }
    this.wake?.()
  }

  /** Looks at all pages again: topologies changed, and some may have lost their place. */
  sweep(): void {
    const { view } = this.options
    for (const vni of view.learned.vnis()) {
      const segment = view.segments.get(vni)
      const stale = [...view.learned.pages(vni).values()].some(
        ({ vtep }) => !segment?.spec.claim_macs || !segment.nodes.has(vtep),
      )
      if ((stale || !segment) && !this.pending.has(vni)) this.pending.set(vni, new Map())
    }
    this.wake?.()
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0
    signal.addEventListener('abort', () => this.wake?.(), { once: true })
    while (!signal.aborted) {
      const vni = this.pending.keys().next().value
      if (vni === undefined) {
        await new Promise<void>((resolve) => {
          this.wake = resolve
        })
        continue
      }
      try {
        await this.write(vni, signal)
        failures = 0
      } catch (err) {
        failures++
        if (failures === 1) this.options.log.warn({ err, vni }, 'claims wait for etcd')
        await pause(backoffMs(failures, { firstMs: 50, maxMs: 2_000 }), signal)
      }
    }
  }

  /** A complete set takes the place of all that the node said before. */
  private replace(node: string): void {
    for (const nodes of this.pending.values()) {
      this.pendingClaims -= nodes.get(node)?.claims.size ?? 0
      nodes.delete(node)
    }
    const { view } = this.options
    const vtep = view.nodes.get(node)?.vtep
    const owned = view.learned
      .vnis()
      .filter((vni) => [...view.learned.pages(vni).values()].some((page) => page.vtep === vtep))
    for (const vni of new Set([...owned, ...(view.nodes.get(node)?.vnis ?? [])])) {
      this.of(vni, node).complete = true
    }
  }

  private of(vni: number, node: string): PendingNode {
    let nodes = this.pending.get(vni)
    if (!nodes) {
      nodes = new Map()
      this.pending.set(vni, nodes)
    }
    let claims = nodes.get(node)
    if (!claims) {
      claims = { complete: false, claims: new Map() }
      nodes.set(node, claims)
    }
    return claims
  }

  private async write(vni: number, signal: AbortSignal): Promise<void> {
    const { view, client, keys, caughtUp } = this.options
    const pending = this.pending.get(vni)!
    const plan = planClaims(view, vni, pending, {
      now: Date.now(),
      journalRoom: Math.max(MAX_EVICTED, MAX_JOURNALS - view.journals.size),
    })
    const ended = this.ended(vni, plan)
    if (plan.writes.length > 0 || plan.journals.size > 0 || ended) {
      const guard = { key: keys.guard(vni), mod_revision: view.learned.guard(vni) }
      // What is swept was decided by the topologies: they must be the same still.
      const generation = { key: keys.generation(), mod_revision: view.generation }
      const sweeps = plan.swept || ended
      const taken = this.takeAway(vni)
      try {
        const result = await client.write(sweeps ? [guard, generation] : [guard], this.ops(vni, plan, ended))
        if (!result.done) {
          this.putBack(vni, taken)
          // The compared key was deleted: no revision tells when the view will know.
          if (result.revision <= view.revision) await pause(ECHO_PAUSE_MS, signal)
        }
        await caughtUp(result.revision, signal)
        if (!result.done) return
      } catch (err) {
        this.putBack(vni, taken)
        throw err
      } finally {
        if (sweeps) this.sweep() // what did not fit, or was not written
      }
    } else this.takeAway(vni)
    this.count(vni, plan)
    this.putBack(vni, plan.rest)
  }

  /** Its network is gone, and so will be its last page: then its guard has nothing to guard. */
  private ended(vni: number, { writes }: ClaimPlan): boolean {
    const { segments, learned } = this.options.view
    if (segments.has(vni) || learned.guard(vni) === 0n) return false
    return writes.filter(({ macs }) => macs.size === 0).length === learned.pages(vni).size
  }

  private takeAway(vni: number): ReadonlyMap<string, PendingNode> {
    const taken = this.pending.get(vni) ?? new Map<string, PendingNode>()
    for (const { claims } of taken.values()) this.pendingClaims -= claims.size
    this.pending.delete(vni)
    return taken
  }

  /** What was said meanwhile is newer. */
  private putBack(vni: number, taken: ReadonlyMap<string, PendingNode>): void {
    if (taken.size === 0) return
    for (const [node, { complete, claims }] of taken) {
      const now = this.of(vni, node)
      if (now.complete) continue
      now.complete = complete
      const newer = [...now.claims]
      now.claims.clear()
      for (const [mac, claim] of [...claims, ...newer]) now.claims.set(mac, claim)
      this.pendingClaims += now.claims.size - newer.length
    }
  }

  private ops(vni: number, { writes, journals }: ClaimPlan, ended: boolean): WriteOp[] {
    const { keys } = this.options
    const guard = keys.guard(vni)
    const page = ({ vtep, page: number, macs }: PageWrite): WriteOp => {
      const key = keys.page(vni, vtep, number)
      return macs.size === 0 ? { delete: key } : { put: key, value: encodePage(macs) }
    }
    if (ended) return [{ delete: guard }, { delete_prefix: keys.journals(vni) }, ...writes.map(page)]
    const evicted = this.options.view.journals
      .evicted(vni, journals, { limit: MAX_JOURNALS, atMost: MAX_EVICTED })
      .map((old): WriteOp => ({ delete: keys.journal(old.vni, old.mac) }))
    const written = [...journals].map(([mac, journal]): WriteOp => {
      return { put: keys.journal(vni, mac), value: encodeJournal(journal) }
    })
    return [{ put: guard, value: '' }, ...writes.map(page), ...written, ...evicted]
  }

  private count(vni: number, plan: ClaimPlan): void {
    const { counters, log } = this.options
    counters.taken += plan.taken
    counters.moves += plan.moved
    for (const [reason, count] of plan.refused) counters.refused[reason] += count
    for (const mac of plan.frozen) {
      const err = new WeftError(
        'W-3016',
        `${formatMac(mac)} of VNI ${vni} moved ${MOVES} times in ${WINDOW_MS / 1000} s: it is frozen`,
      )
      log.warn({ err, vni, mac: formatMac(mac) }, 'a MAC is in two places')
    }
  }
}

import type { Ip } from '../../model/ip.js'
import { isStation, type Mac } from '../../model/mac.js'
import type { ClaimRefusal } from '../control.js'
import { ClaimDraft, type PageWrite } from './claim-draft.js'
import type { ClusterView } from './cluster-view.js'
import type { LearnedMac } from './learned-macs.js'
import {
  emptyJournal,
  heldFrom,
  isFrozen,
  type MacJournal,
  withMove,
  withPlace,
  withRefusal,
} from './mac-journal.js'
import type { PageAddress } from './owner-page.js'

/** What one node says of one MAC in one segment. */
export interface PendingClaim {
  readonly mac: Mac
  readonly interface: string
  readonly withdraw: boolean
  /** The station said itself that it is here. */
  readonly announced: boolean
  readonly addresses: readonly PageAddress[]
  /**
   * Part of a complete set: the node may have learned it long ago, so it takes
   * no MAC and no address that another has. One that is really here is heard
   * and claimed again.
   */
  readonly weak: boolean
}

/** What of a node's words on one MAC counts: the last, but an announcement that was not looked at yet stays one. */
export function newerWord(before: PendingClaim | undefined, claim: PendingClaim): PendingClaim {
  const same = before?.interface === claim.interface && !before.withdraw && !claim.withdraw
  return same && before.announced ? { ...claim, announced: true, weak: false } : claim
}

/** What one node says of one segment. */
export interface PendingNode {
  /** What is not among `claims` is withdrawn. */
  complete: boolean
  readonly claims: Map<Mac, PendingClaim>
}

export interface ClaimPlan {
  readonly writes: readonly PageWrite[]
  readonly journals: ReadonlyMap<Mac, MacJournal>
  /** Pages whose VTEP has no port in the segment any more are among the writes. */
  readonly swept: boolean
  readonly taken: number
  readonly moved: number
  /** MACs that this freezes. */
  readonly frozen: readonly Mac[]
  readonly refused: ReadonlyMap<ClaimRefusal, number>
  /** A transaction holds so many keys: what is left is for the next one. */
  readonly rest: ReadonlyMap<string, PendingNode>
}

export interface PlanOptions {
  /** Milliseconds since 1970. */
  readonly now: number
  /** MACs that may get a journal in this transaction. */
  readonly journalRoom: number
}

// Below etcd's 128 operations, with the guard and MAX_EVICTED journals that make room.
const MAX_KEYS = 108
// One claim: two pages, those of whoever had its addresses, and a journal.
const KEYS_OF_A_CLAIM = 20
/** A flood of refused claims must not become a flood of writes. */
const MAX_REFUSALS_NOTED = 32

/** PURE: what `pending` changes in the owner pages and journals of one segment. */
export function planClaims(
  view: ClusterView,
  vni: number,
  pending: ReadonlyMap<string, PendingNode>,
  opts: PlanOptions,
): ClaimPlan {
  return new Planner(view, vni, opts).plan(pending)
}

class Planner {
  private readonly draft: ClaimDraft
  private readonly refused = new Map<ClaimRefusal, number>()
  private readonly journals = new Map<Mac, MacJournal>()
  private readonly frozen: Mac[] = []
  private newJournals = 0
  private refusalsNoted = 0
  private moved = 0
  private taken = 0
  private swept = false

  constructor(
    private readonly view: ClusterView,
    private readonly vni: number,
    private readonly opts: PlanOptions,
  ) {
    this.draft = new ClaimDraft(view, vni)
  }

  plan(pending: ReadonlyMap<string, PendingNode>): ClaimPlan {
    this.sweep()
    const rest = new Map<string, PendingNode>()
    for (const [node, { complete, claims }] of pending) {
      const queue = this.expand(node, complete, claims)
      let at = 0
      while (at < queue.length && this.hasRoom()) this.settle(node, queue[at++]!)
      if (at === queue.length) continue
      rest.set(node, { complete: false, claims: new Map(queue.slice(at).map((claim) => [claim.mac, claim])) })
    }
    return {
      writes: this.draft.writes(),
      journals: this.journals,
      swept: this.swept,
      taken: this.taken,
      moved: this.moved,
      frozen: this.frozen,
      refused: this.refused,
      rest,
    }
  }

  private hasRoom(): boolean {
    const keys = this.draft.size + this.journals.size
    return keys + KEYS_OF_A_CLAIM <= MAX_KEYS && this.newJournals < this.opts.journalRoom
  }

  private sweep(): void {
    const segment = this.view.segments.get(this.vni)
    for (const { vtep, page } of this.draft.pages.values()) {
      if (segment?.spec.claim_macs && segment.nodes.has(vtep)) continue
      if (this.draft.size >= MAX_KEYS) return
      this.draft.clear(vtep, page)
      this.swept = true
    }
  }

  /** With a complete set, what it does not name is withdrawn. */
  private expand(node: string, complete: boolean, claims: ReadonlyMap<Mac, PendingClaim>): PendingClaim[] {
    const queue = [...claims.values()]
    const vtep = this.view.nodes.get(node)?.vtep
    if (!complete || vtep === undefined) return queue
    const gone = { withdraw: true, weak: true, announced: false, addresses: [] }
    for (const page of this.draft.pages.values()) {
      if (page.vtep !== vtep) continue
      for (const [mac, entry] of page.macs) {
        if (!claims.has(mac)) queue.push({ mac, interface: entry.interface, ...gone })
      }
    }
    return queue
  }

  private settle(node: string, claim: PendingClaim): void {
    const vtep = this.view.nodes.get(node)?.vtep
    if (vtep === undefined) {
      this.refuse('undeclared_port')
      return
    }
    const owner = this.draft.owner(claim.mac)
    const here = owner?.vtep === vtep && owner.interface === claim.interface ? owner : undefined
    if (claim.withdraw) {
      if (here) this.draft.remove(claim.mac, here)
      return
    }
    const place = `${node}/${claim.interface}`
    const refusal = this.refusal(node, vtep, claim, owner)
    if (refusal) {
      this.refuse(refusal)
      this.noteRefusal(refusal, claim.mac, place, owner)
    } else if (here) this.readdress(claim, here)
    else this.place(vtep, place, claim, owner)
  }

  private refusal(
    node: string,
    vtep: Ip,
    claim: PendingClaim,
    owner: LearnedMac | undefined,
  ): ClaimRefusal | undefined {
    const segment = this.view.segments.get(this.vni)
    if (!segment || this.view.nodes.get(node)?.ports.get(claim.interface)?.vni !== this.vni)
      return 'undeclared_port'
    if (!segment.spec.claim_macs) return 'learning_off'
    if (!isStation(claim.mac)) return 'not_station'
    if (segment.declared.has(claim.mac)) return 'static'
    if (!owner || (owner.vtep === vtep && owner.interface === claim.interface)) return undefined
    if (owner.vtep !== vtep && claim.weak) return 'elsewhere'
    const journal = this.journal(claim.mac)
    if (owner.vtep !== vtep && isFrozen(journal, this.opts.now)) return 'frozen'
    const late = heldFrom(journal, this.opts.now) === `${node}/${claim.interface}`
    return late && !claim.announced ? 'late' : undefined
  }

  private place(vtep: Ip, place: string, claim: PendingClaim, owner: LearnedMac | undefined): void {
    const page = this.draft.pageWithRoom(vtep)
    if (page === undefined) {
      this.refuse('limit')
      return
    }
    const seq = owner ? this.move(place, claim, owner) : this.learnAgain(place, claim.mac)
    const addresses = this.addresses(claim)
    const since = Math.floor(this.opts.now / 1000)
    this.draft.put(claim.mac, { interface: claim.interface, seq, since, addresses, vtep, page })
    this.taken++
  }

  /** The sequence number goes on from what is on record, so that it never falls. */
  private learnAgain(place: string, mac: Mac): number {
    const before = this.journal(mac)
    const last = before?.entries.at(-1)
    if (!before || !last) return 0
    const seq = last.seq + 1
    this.note(mac, withPlace(before, { at: this.opts.now, to: place, seq }))
    return seq
  }

  private move(place: string, { mac, announced }: PendingClaim, owner: LearnedMac): number {
    const before = this.journal(mac) ?? emptyJournal
    const from = this.placeOf(owner)
    const seq = owner.seq + 1
    const journal = withMove(before, { at: this.opts.now, from, to: place, seq, announced })
    if (journal.frozen_at === this.opts.now) this.frozen.push(mac)
    this.note(mac, journal)
    this.draft.remove(mac, owner)
    this.moved++
    return seq
  }

  /** Known at its place: what is new can only be its addresses. */
  private readdress(claim: PendingClaim, owner: LearnedMac): void {
    const addresses = this.addresses(claim)
    const same =
      addresses.length === owner.addresses.length &&
      addresses.every(({ ip, router }, i) => {
        const before = owner.addresses[i]
        return before?.ip === ip && before.router === router
      })
    if (!same) this.draft.put(claim.mac, { ...owner, addresses })
  }

  private addresses({ mac, addresses, weak }: PendingClaim): readonly PageAddress[] {
    if (addresses.length === 0) return addresses
    const { taken, refused } = this.draft.takeAddresses(mac, addresses, weak)
    if (refused > 0) this.refused.set('address', (this.refused.get('address') ?? 0) + refused)
    return taken
  }

  private placeOf(owner: LearnedMac): string {
    return `${this.view.segments.get(this.vni)?.nodes.get(owner.vtep) ?? owner.vtep}/${owner.interface}`
  }

  private noteRefusal(reason: ClaimRefusal, mac: Mac, to: string, owner: LearnedMac | undefined): void {
    const before = this.journal(mac)
    const worthOne = reason === 'static' && this.newJournals + 1 < this.opts.journalRoom
    const noted = ['late', 'frozen', 'static', 'elsewhere'].includes(reason)
    if (!noted || !(before || worthOne) || this.refusalsNoted >= MAX_REFUSALS_NOTED) return
    const declared = this.view.segments.get(this.vni)?.declared.get(mac)?.spec
    const from = owner ? this.placeOf(owner) : (declared?.node ?? declared?.remote)
    const journal = withRefusal(before ?? emptyJournal, {
      at: this.opts.now,
      to,
      seq: owner?.seq ?? 0,
      reason,
      ...(from === undefined ? {} : { from }),
    })
    if (!journal) return
    this.refusalsNoted++
    this.note(mac, journal)
  }

  private journal(mac: Mac): MacJournal | undefined {
    return this.journals.get(mac) ?? this.view.journals.get(this.vni, mac)
  }

  private note(mac: Mac, journal: MacJournal): void {
    if (!this.journal(mac)) this.newJournals++
    this.journals.set(mac, journal)
  }

  private refuse(reason: ClaimRefusal): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
  }
}

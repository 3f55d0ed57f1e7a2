import type { Ip } from '../../model/ip.js'
import { isStation, type Mac } from '../../model/mac.js'
import type { ClaimRefusal } from '../control.js'
import type { ClusterView } from './cluster-view.js'
import type { LearnedMac, StoredPage } from './learned-macs.js'
import { MACS_PER_PAGE, type PageEntry } from './owner-page.js'

/** What one node says of one MAC in one segment. */
export interface PendingClaim {
  readonly mac: Mac
  readonly interface: string
  readonly withdraw: boolean
  /**
   * Part of a complete set: the node may have learned it long ago, so it takes
   * no MAC that another node has. One that is really here is heard and claimed again.
   */
  readonly weak: boolean
}

/** What one node says of one segment. */
export interface PendingNode {
  /** What is not among `claims` is withdrawn. */
  complete: boolean
  readonly claims: Map<Mac, PendingClaim>
}

export interface PageWrite {
  readonly vtep: Ip
  readonly page: number
  /** Empty: the page goes. */
  readonly macs: ReadonlyMap<Mac, PageEntry>
}

export interface ClaimPlan {
  readonly writes: readonly PageWrite[]
  /** Pages whose VTEP has no port in the segment any more are among the writes. */
  readonly swept: boolean
  readonly taken: number
  readonly moved: readonly Mac[]
  readonly refused: ReadonlyMap<ClaimRefusal, number>
  /** A transaction holds so many pages: what is left is for the next one. */
  readonly rest: ReadonlyMap<string, PendingNode>
}

/** Of one VTEP in one segment: a port that makes up addresses must not fill etcd. */
export const MAX_MACS_PER_OWNER = 8_192
// Two pages for one claim at most, below etcd's 128 operations.
const MAX_PAGES = 120

/** PURE: what `pending` changes in the owner pages of one segment. */
export function planClaims(
  view: ClusterView,
  vni: number,
  pending: ReadonlyMap<string, PendingNode>,
  opts: { nowS: number; frozen: (mac: Mac) => boolean },
): ClaimPlan {
  return new Planner(view, vni, opts).plan(pending)
}

class Planner {
  private readonly drafts = new Map<string, { vtep: Ip; page: number; macs: Map<Mac, PageEntry> }>()
  private readonly owners: Map<Mac, LearnedMac | undefined> = new Map()
  private readonly refused = new Map<ClaimRefusal, number>()
  private readonly moved: Mac[] = []
  private readonly pages: ReadonlyMap<string, StoredPage>
  private taken = 0
  private swept = false

  constructor(
    private readonly view: ClusterView,
    private readonly vni: number,
    private readonly opts: { nowS: number; frozen: (mac: Mac) => boolean },
  ) {
    const pages = [...view.learned.pages(vni).values()]
    this.pages = new Map(pages.map((page) => [`${page.vtep}/${page.page}`, page]))
  }

  plan(pending: ReadonlyMap<string, PendingNode>): ClaimPlan {
    this.sweep()
    const rest = new Map<string, PendingNode>()
    for (const [node, { complete, claims }] of pending) {
      const queue = this.expand(node, complete, claims)
      let at = 0
      while (at < queue.length && this.drafts.size < MAX_PAGES - 1) this.settle(node, queue[at++]!)
      if (at === queue.length) continue
      rest.set(node, { complete: false, claims: new Map(queue.slice(at).map((claim) => [claim.mac, claim])) })
    }
    return {
      writes: [...this.drafts.values()],
      swept: this.swept,
      taken: this.taken,
      moved: this.moved,
      refused: this.refused,
      rest,
    }
  }

  private sweep(): void {
    const segment = this.view.segments.get(this.vni)
    for (const { vtep, page } of this.pages.values()) {
      if (segment?.spec.claim_macs && segment.nodes.has(vtep)) continue
      if (this.drafts.size >= MAX_PAGES - 1) return
      this.drafts.set(`${vtep}/${page}`, { vtep, page, macs: new Map() })
      this.swept = true
    }
  }

  /** With a complete set, what it does not name is withdrawn. */
  private expand(node: string, complete: boolean, claims: ReadonlyMap<Mac, PendingClaim>): PendingClaim[] {
    const queue = [...claims.values()]
    const vtep = this.view.nodes.get(node)?.vtep
    if (!complete || vtep === undefined) return queue
    for (const page of this.pages.values()) {
      if (page.vtep !== vtep) continue
      for (const [mac, entry] of page.macs) {
        if (claims.has(mac)) continue
        queue.push({ mac, interface: entry.interface, withdraw: true, weak: true })
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
    const owner = this.owner(claim.mac)
    if (claim.withdraw) {
      if (owner?.vtep === vtep && owner.interface === claim.interface) this.remove(claim.mac, owner)
      return
    }
    const refusal = this.refusal(node, vtep, claim, owner)
    const known = owner?.vtep === vtep && owner.interface === claim.interface
    if (refusal) this.refuse(refusal)
    else if (!known) this.place(vtep, claim, owner)
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
    if (owner && owner.vtep !== vtep && claim.weak) return 'elsewhere'
    if (owner && owner.vtep !== vtep && this.opts.frozen(claim.mac)) return 'frozen'
    return undefined
  }

  private place(vtep: Ip, claim: PendingClaim, owner: LearnedMac | undefined): void {
    const page = this.pageWithRoom(vtep)
    if (page === undefined) {
      this.refuse('limit')
      return
    }
    if (owner) {
      this.remove(claim.mac, owner)
      this.moved.push(claim.mac)
    }
    const entry = { interface: claim.interface, seq: owner ? owner.seq + 1 : 0, since: this.opts.nowS }
    this.draft(vtep, page).set(claim.mac, entry)
    this.owners.set(claim.mac, { ...entry, vtep, page })
    this.taken++
  }

  private remove(mac: Mac, owner: LearnedMac): void {
    this.draft(owner.vtep, owner.page).delete(mac)
    this.owners.set(mac, undefined)
  }

  private owner(mac: Mac): LearnedMac | undefined {
    if (this.owners.has(mac)) return this.owners.get(mac)
    const owner = this.view.learned.owners(this.vni).get(mac)
    // One on a page that is swept has no place any more.
    return owner && this.drafts.get(`${owner.vtep}/${owner.page}`)?.macs.has(mac) === false
      ? undefined
      : owner
  }

  private pageWithRoom(vtep: Ip): number | undefined {
    for (let page = 0; page < MAX_MACS_PER_OWNER / MACS_PER_PAGE; page++) {
      if (this.pageSize(vtep, page) < MACS_PER_PAGE) return page
    }
    return undefined
  }

  private pageSize(vtep: Ip, page: number): number {
    return (this.drafts.get(`${vtep}/${page}`)?.macs ?? this.stored(vtep, page))?.size ?? 0
  }

  private draft(vtep: Ip, page: number): Map<Mac, PageEntry> {
    const id = `${vtep}/${page}`
    let draft = this.drafts.get(id)
    if (!draft) {
      draft = { vtep, page, macs: new Map(this.stored(vtep, page)) }
      this.drafts.set(id, draft)
    }
    return draft.macs
  }

  private stored(vtep: Ip, page: number): ReadonlyMap<Mac, PageEntry> | undefined {
    return this.pages.get(`${vtep}/${page}`)?.macs
  }

  private refuse(reason: ClaimRefusal): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
  }
}

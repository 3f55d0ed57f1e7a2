import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import { AddressHolders } from './address-holders.js'
import { decodePage, type OwnerPage, type PageEntry } from './owner-page.js'
import type { StoreEvent } from './records.js'

export interface LearnedMac extends PageEntry {
  readonly vtep: Ip
  /** Number of the owner page. */
  readonly page: number
}

export interface StoredPage {
  readonly vni: number
  readonly vtep: Ip
  readonly page: number
  readonly macs: OwnerPage
}

interface Segment {
  /** By etcd key. */
  readonly pages: Map<string, StoredPage>
  readonly owners: Map<Mac, LearnedMac>
  readonly holders: AddressHolders
  /** In more than one page, which no writer of ours makes: the highest seq counts. */
  readonly contested: Set<Mac>
  guard: bigint
}

/** What may be another after events: MACs' owners, and addresses' MACs. */
export interface Touched {
  readonly macs: Set<Mac>
  readonly ips: Set<Ip>
}

/** PURE: owner pages folded to one owner for each learned MAC. */
export class LearnedMacs {
  /** Reasons by etcd key. */
  readonly quarantine = new Map<string, string>()
  private readonly segments = new Map<number, Segment>()

  owners(vni: number): ReadonlyMap<Mac, LearnedMac> {
    return this.segments.get(vni)?.owners ?? new Map()
  }

  /** Which MACs were heard to use an address; one in pages of our making. */
  addresses(vni: number): AddressHolders {
    return this.segments.get(vni)?.holders ?? new AddressHolders()
  }

  pages(vni: number): ReadonlyMap<string, StoredPage> {
    return this.segments.get(vni)?.pages ?? new Map()
  }

  /** Revision of the segment's guard key; 0n when it has none. */
  guard(vni: number): bigint {
    return this.segments.get(vni)?.guard ?? 0n
  }

  /** Segments that have a page or a guard. */
  vnis(): number[] {
    return [...this.segments.keys()]
  }

  /** Folds whole revisions. Returns what of each segment may be another. */
  apply(events: readonly StoreEvent[]): Map<number, Touched> {
    const touched = new Map<number, Touched>()
    const latest = new Map<string, StoreEvent>()
    for (const event of events) {
      if (event.id.kind === 'guard') this.segment(event.id.vni).guard = event.value ? event.mod_revision : 0n
      if (event.id.kind === 'page') latest.set(event.key, event)
    }
    // A move takes the MAC out of one page and puts it into another in one revision: out first.
    const incoming: { key: string; page: StoredPage }[] = []
    for (const [key, event] of latest) {
      if (event.id.kind !== 'page') continue
      const { vni, vtep, page } = event.id
      const macs = this.decode(key, event.value)
      if (macs === 'unreadable') continue
      const affected = touched.get(vni) ?? touched.set(vni, { macs: new Set(), ips: new Set() }).get(vni)!
      this.takeOut(vni, key, affected)
      if (macs) incoming.push({ key, page: { vni, vtep: vtep as Ip, page, macs } })
    }
    for (const { key, page } of incoming) this.putIn(key, page, touched.get(page.vni)!)
    for (const { id } of events) if (id.kind === 'guard' || id.kind === 'page') this.forgetEmpty(id.vni)
    return touched
  }

  private decode(key: string, value: Uint8Array | undefined): OwnerPage | undefined | 'unreadable' {
    this.quarantine.delete(key)
    if (value === undefined) return undefined
    try {
      return decodePage(value)
    } catch (err) {
      this.quarantine.set(key, (err as Error).message)
      return 'unreadable'
    }
  }

  private takeOut(vni: number, key: string, affected: Touched): void {
    const segment = this.segment(vni)
    const before = segment.pages.get(key)
    if (!before) return
    segment.pages.delete(key)
    for (const [mac, { addresses }] of before.macs) {
      affected.macs.add(mac)
      for (const { ip } of addresses) {
        affected.ips.add(ip)
        segment.holders.remove(ip, mac)
      }
      const owner = segment.owners.get(mac)
      if (owner?.vtep === before.vtep && owner.page === before.page) segment.owners.delete(mac)
      if (segment.contested.delete(mac)) this.electAgain(segment, mac, affected)
    }
  }

  private putIn(key: string, page: StoredPage, affected: Touched): void {
    const segment = this.segment(page.vni)
    segment.pages.set(key, page)
    for (const [mac, entry] of page.macs) {
      affected.macs.add(mac)
      for (const { ip } of entry.addresses) {
        affected.ips.add(ip)
        segment.holders.add(ip, mac)
      }
      this.elect(segment, mac, { ...entry, vtep: page.vtep, page: page.page }, affected)
    }
  }

  private elect(segment: Segment, mac: Mac, candidate: LearnedMac, affected: Touched): void {
    const owner = segment.owners.get(mac)
    if (owner) {
      segment.contested.add(mac)
      // Addresses of the loser count no more, and again when it is the only one left.
      for (const { ip } of owner.addresses) affected.ips.add(ip)
    }
    for (const { ip } of candidate.addresses) affected.ips.add(ip)
    if (!owner || wins(candidate, owner)) segment.owners.set(mac, candidate)
  }

  private electAgain(segment: Segment, mac: Mac, affected: Touched): void {
    segment.owners.delete(mac)
    for (const { vtep, page, macs } of segment.pages.values()) {
      const entry = macs.get(mac)
      if (entry) this.elect(segment, mac, { ...entry, vtep, page }, affected)
    }
  }

  private forgetEmpty(vni: number): void {
    const segment = this.segments.get(vni)
    if (segment?.guard === 0n && segment.pages.size === 0) this.segments.delete(vni)
  }

  private segment(vni: number): Segment {
    let segment = this.segments.get(vni)
    if (!segment) {
      segment = {
        pages: new Map(),
        owners: new Map(),
        contested: new Set(),
        holders: new AddressHolders(),
        guard: 0n,
      }
      this.segments.set(vni, segment)
    }
    return segment
  }
}

// The address decides between equals, so that every controller elects the same.
function wins(a: LearnedMac, b: LearnedMac): boolean {
  if (a.seq !== b.seq) return a.seq > b.seq
  return a.vtep === b.vtep ? a.page < b.page : a.vtep < b.vtep
}

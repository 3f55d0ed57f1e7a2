import { type Ip, isStationIp } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import type { ClusterView } from './cluster-view.js'
import type { LearnedMac, StoredPage } from './learned-macs.js'
import { MACS_PER_PAGE, MAX_ADDRESSES_PER_MAC, type PageAddress, type PageEntry } from './owner-page.js'

export interface PageWrite {
  readonly vtep: Ip
  readonly page: number
  /** Empty: the page goes. */
  readonly macs: ReadonlyMap<Mac, PageEntry>
}

/** Of one VTEP in one segment: a port that makes up addresses must not fill etcd. */
export const MAX_MACS_PER_OWNER = 8_192
/** Of one segment; with it a transaction of full pages stays below etcd's limit. */
export const MAX_ADDRESSES = 16_384

/** PURE: the owner pages of one segment as they will be, and what of them is to be written. */
export class ClaimDraft {
  /** As stored, by `vtep/page`. */
  readonly pages: ReadonlyMap<string, StoredPage>
  private readonly drafts = new Map<string, { vtep: Ip; page: number; macs: Map<Mac, PageEntry> }>()
  private readonly owners: Map<Mac, LearnedMac | undefined> = new Map()
  private readonly holders = new Map<Ip, Mac | undefined>()
  private addressCount: number

  constructor(
    private readonly view: ClusterView,
    private readonly vni: number,
  ) {
    const pages = [...view.learned.pages(vni).values()]
    this.pages = new Map(pages.map((page) => [`${page.vtep}/${page.page}`, page]))
    this.addressCount = view.learned.addresses(vni).size
  }

  /** Pages to write. */
  get size(): number {
    return this.drafts.size
  }

  writes(): PageWrite[] {
    return [...this.drafts.values()]
  }

  clear(vtep: Ip, page: number): void {
    this.drafts.set(`${vtep}/${page}`, { vtep, page, macs: new Map() })
  }

  owner(mac: Mac): LearnedMac | undefined {
    if (this.owners.has(mac)) return this.owners.get(mac)
    const owner = this.view.learned.owners(this.vni).get(mac)
    // One on a page that is swept has no place any more.
    return owner && this.drafts.get(`${owner.vtep}/${owner.page}`)?.macs.has(mac) === false
      ? undefined
      : owner
  }

  put(mac: Mac, place: LearnedMac): void {
    const before = this.owner(mac)
    if (before) for (const { ip } of before.addresses) this.free(ip)
    const { interface: device, seq, since, addresses } = place
    this.draft(place.vtep, place.page).set(mac, { interface: device, seq, since, addresses })
    this.owners.set(mac, place)
    for (const { ip } of addresses) this.hold(ip, mac)
  }

  remove(mac: Mac, owner: LearnedMac): void {
    for (const { ip } of owner.addresses) this.free(ip)
    this.draft(owner.vtep, owner.page).delete(mac)
    this.owners.set(mac, undefined)
  }

  pageWithRoom(vtep: Ip): number | undefined {
    for (let page = 0; page < MAX_MACS_PER_OWNER / MACS_PER_PAGE; page++) {
      if (this.pageSize(vtep, page) < MACS_PER_PAGE) return page
    }
    return undefined
  }

  /**
   * Which of `addresses` the MAC gets. One that another MAC has goes over: the
   * newest word counts, but for that of a complete set, which may be old.
   */
  takeAddresses(
    mac: Mac,
    addresses: readonly PageAddress[],
    weak: boolean,
  ): { taken: PageAddress[]; refused: number } {
    const taken = new Map<Ip, PageAddress>()
    let refused = 0
    const declared = this.view.segments.get(this.vni)?.bound
    for (const address of addresses) {
      const { ip } = address
      const holder = this.holder(ip)
      const other = holder !== undefined && holder !== mac
      const full = taken.size >= MAX_ADDRESSES_PER_MAC || (!holder && this.addressCount >= MAX_ADDRESSES)
      if (full || (other && weak) || declared?.has(ip) || !isStationIp(ip)) {
        refused++
        continue
      }
      if (other) this.strip(holder, ip)
      taken.set(ip, address)
    }
    return { taken: [...taken.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1)), refused }
  }

  private holder(ip: Ip): Mac | undefined {
    if (this.holders.has(ip)) return this.holders.get(ip)
    for (const mac of this.view.learned.addresses(this.vni).macs(ip)) {
      if (this.owner(mac)?.addresses.some((address) => address.ip === ip)) return mac
    }
    return undefined
  }

  private strip(mac: Mac, ip: Ip): void {
    const owner = this.owner(mac)
    if (owner) this.put(mac, { ...owner, addresses: owner.addresses.filter((address) => address.ip !== ip) })
  }

  private hold(ip: Ip, mac: Mac): void {
    if (this.holder(ip) === undefined) this.addressCount++
    this.holders.set(ip, mac)
  }

  private free(ip: Ip): void {
    if (this.holder(ip) !== undefined) this.addressCount--
    this.holders.set(ip, undefined)
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
}

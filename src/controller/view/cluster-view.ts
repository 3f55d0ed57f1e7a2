import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import type { BindingChange, BodyChange } from '../../model/segment-body.js'
import type { Binding, FdbEntry } from '../../model/segment-table.js'
import { Journals } from './journals.js'
import { LearnedMacs, type Touched } from './learned-macs.js'
import { type NodeView, projectNodes, projectSegment, type SegmentView, vtepsOf } from './projection.js'
import type { StoreEvent } from './records.js'
import { type PublishedTopology, TopologyFold } from './topology-fold.js'
import { VniTable } from './vni-table.js'

export interface ViewChange {
  readonly revision: bigint
  /** Some topology is another: assignments may be too. */
  readonly topologies: boolean
  /** Segments that changed, came or went. */
  readonly vnis: ReadonlySet<number>
}

/**
 * PURE: etcd's keys folded to what each node is to program. A function of the
 * current keys, not of their history, except that a table's ring remembers how
 * it came about. Work is by what changed: an unchanged segment is not touched.
 */
export class ClusterView {
  private at = 0n
  private generationAt = 0n
  private readonly fold = new TopologyFold()
  private readonly macs = new LearnedMacs()
  readonly journals = new Journals()
  private readonly views = new Map<number, SegmentView>()
  private readonly all = new Map<number, VniTable>()
  private nodeViews = new Map<string, NodeView>()

  get revision(): bigint {
    return this.at
  }
  /** Revision of the last apply to any topology; 0n when there was none. */
  get generation(): bigint {
    return this.generationAt
  }
  get topologies(): ReadonlyMap<string, PublishedTopology> {
    return this.fold.topologies
  }
  get learned(): LearnedMacs {
    return this.macs
  }
  get nodes(): ReadonlyMap<string, NodeView> {
    return this.nodeViews
  }
  get segments(): ReadonlyMap<number, SegmentView> {
    return this.views
  }
  get tables(): ReadonlyMap<number, VniTable> {
    return this.all
  }
  get quarantine(): ReadonlyMap<string, string> {
    return new Map([...this.fold.quarantine, ...this.macs.quarantine, ...this.journals.quarantine])
  }

  /** Folds the events of whole revisions, the last of which is `revision`. */
  apply(events: readonly StoreEvent[], revision: bigint): ViewChange {
    this.at = revision
    for (const { id, value, mod_revision } of events) {
      if (id.kind === 'generation') this.generationAt = value ? mod_revision : 0n
    }
    const topologies = this.fold.apply(events)
    const touched = this.macs.apply(events)
    this.journals.apply(events)
    const dirty = new Set<number>()
    if (topologies.size > 0) for (const vni of this.project()) dirty.add(vni)
    for (const [vni, what] of touched) if (!dirty.has(vni) && this.settle(vni, what)) dirty.add(vni)
    return { revision, topologies: topologies.size > 0, vnis: dirty }
  }

  /** Topologies changed: which segments are now others? */
  private project(): Set<number> {
    const desired = [...this.fold.topologies.values()].map((topology) => topology.desired)
    const vteps = vtepsOf(desired)
    this.nodeViews = projectNodes(desired)
    const dirty = new Set<number>()
    const present = new Set<number>()
    for (const { name, networks } of desired) {
      for (const network of networks) {
        present.add(network.vni)
        this.views.set(network.vni, projectSegment(name, network, vteps))
        if (this.settle(network.vni, this.everything(network.vni))) dirty.add(network.vni)
      }
    }
    for (const vni of this.views.keys()) {
      if (present.has(vni)) continue
      this.views.delete(vni)
      this.all.delete(vni)
      dirty.add(vni)
    }
    return dirty
  }

  private everything(vni: number): Touched {
    const table = this.all.get(vni)
    const view = this.views.get(vni)
    return {
      macs: new Set([
        ...(table?.entries.keys() ?? []),
        ...(view?.declared.keys() ?? []),
        ...this.macs.owners(vni).keys(),
      ]),
      ips: new Set([
        ...(table?.bindings.keys() ?? []),
        ...(view?.bound.keys() ?? []),
        ...this.macs.addresses(vni).ips(),
      ]),
    }
  }

  /** Brings the table's entries and bindings for what is touched, and its spec, to what the keys say now. */
  private settle(vni: number, { macs, ips }: Touched): boolean {
    const view = this.views.get(vni)
    if (!view) return false
    const known = this.all.get(vni)
    const table = known ?? new VniTable(vni, view.spec, this.at)
    this.all.set(vni, table)
    const changes: BodyChange[] = []
    for (const mac of macs) changes.push({ mac, entry: this.entry(view, mac) })
    const bindings: BindingChange[] = []
    for (const ip of ips) bindings.push({ ip, binding: this.binding(view, ip) })
    const changed = table.update(this.at, changes, view.spec, bindings)
    return changed || !known
  }

  // A declared MAC stays where it is declared, whatever was learned.
  private entry(view: SegmentView, mac: Mac): FdbEntry | undefined {
    const declared = view.declared.get(mac)
    if (declared) return declared.entry
    const owner = this.macs.owners(view.network.vni).get(mac)
    // Pages of a VTEP that has no port here any more wait for their removal.
    if (!owner || !view.spec.claim_macs || !view.nodes.has(owner.vtep)) return undefined
    return { vtep: owner.vtep, static: false }
  }

  // Only where ARP and ND are answered from it. What is declared holds here too.
  private binding(view: SegmentView, ip: Ip): Binding | undefined {
    if (!view.spec.suppress) return undefined
    const declared = view.bound.get(ip)
    if (declared) return declared
    const { vni } = view.network
    let best: { binding: Binding; since: number } | undefined
    for (const mac of this.macs.addresses(vni).macs(ip)) {
      if (view.declared.has(mac) || !this.entry(view, mac)) continue
      const owner = this.macs.owners(vni).get(mac)!
      const address = owner.addresses.find((one) => one.ip === ip)
      if (!address || (best && !isNewer(owner.since, mac, best))) continue
      best = { binding: { mac, router: address.router }, since: owner.since }
    }
    return best?.binding
  }
}

// Writers keep an address with one MAC; were it with two, every controller must choose the same.
function isNewer(since: number, mac: Mac, than: { binding: Binding; since: number }): boolean {
  return since === than.since ? mac < than.binding.mac : since > than.since
}

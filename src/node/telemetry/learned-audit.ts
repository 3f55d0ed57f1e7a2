import type { Claim } from '../../rpc/records.js'
import {
  type FdbKey,
  type LearnedEntry,
  NeighborFlag,
  type NeighborKey,
  type SnoopedEntry,
} from '../bpf/abi.gen.js'
import type { BpfMap } from '../bpf/map.js'
import type { Dataplane, MapOf } from '../drivers/dataplane.js'
import type { NodeStatus } from '../status.js'
import { Evictions } from './evictions.js'
import { type HeardMac, judge, type Surroundings } from './learned-judgement.js'
import { type HeardBinding, judgeBinding, type LocalBindings, type LocalMac } from './local-bindings.js'
import type { LocalMacs } from './local-macs.js'
import { PortMacs } from './port-macs.js'

/** Below it a map that evicts has evicted nothing: programs delete bindings too. */
const PRESSURE_SHARE = 0.5

/**
 * Holds what programs learned against what is so now: takes out what aged or
 * lost its place, keeps the ports' counts, and says what the controller is to be
 * told. Events make learning quick; this makes it true.
 */
export class LearnedAudit implements Disposable {
  private readonly learned: MapOf<'learned'>
  private readonly snooped: MapOf<'snooped'>
  private readonly portMacs: PortMacs
  private readonly unclaimed = new Evictions<HeardMac>()
  private readonly bound = new Evictions<HeardBinding>()
  private wasFull = false

  constructor(
    dataplane: Dataplane,
    private readonly status: NodeStatus,
    private readonly macs: LocalMacs,
    private readonly bindings: LocalBindings,
  ) {
    this.learned = dataplane.map('learned')
    this.snooped = dataplane.map('snooped')
    this.portMacs = new PortMacs(dataplane)
  }

  /** Addresses first, for the claims name them. */
  run(around: Surroundings): Claim[] {
    const changed = this.runSnooped(around)
    const claims = this.runLearned(around)
    const { evictions } = this.status
    evictions.set('learned', this.macs.evictions + this.unclaimed.count)
    evictions.set('snooped', this.bound.count)
    this.status.addressesLeftOut = this.bindings.leftOut
    return [...claims, ...changed.flatMap((mac) => this.macs.readdress(mac, around) ?? [])]
  }

  [Symbol.dispose](): void {
    for (const one of [this.learned, this.snooped, this.portMacs]) one[Symbol.dispose]()
  }

  private runSnooped(around: Surroundings): readonly LocalMac[] {
    const all = this.snooped.entries().map(heardBinding)
    const { changed, forget } = this.bindings.audit(all, around)
    this.snooped.deleteMany(forget)
    const gone = new Set(forget)
    const stay = all.filter((heard) => !gone.has(heard))
    const isFull = all.length > this.snooped.maxEntries * PRESSURE_SHARE
    const canEvict = isFull || this.wasFull
    this.wasFull = isFull
    this.bound.audit(
      new Map(stay.map((heard) => [`${heard.vni} ${heard.ip}`, heard])),
      (heard) => canEvict && judgeBinding(heard, around) !== 'forget',
    )
    this.shown('snooped', this.snooped, stay.length)
    return changed
  }

  private runLearned(around: Surroundings): readonly Claim[] {
    const before = this.portMacs.read(around.ports)
    const all = this.learned.entries().map(heardMac)
    const { claims, forget, kept, onPorts } = this.macs.audit(all, around)
    this.learned.deleteMany(forget)
    this.portMacs.write(before, onPorts)
    this.unclaimed.audit(
      new Map(kept.map((heard) => [`${heard.vni} ${heard.mac}`, heard])),
      (heard) => judge(heard, around) === 'keep',
    )
    this.shown('learned', this.learned, all.length - forget.length)
    return claims
  }

  private shown(map: string, { maxEntries }: BpfMap<unknown, unknown>, entries: number): void {
    this.status.maps.set(map, { map, entries, max_entries: maxEntries })
  }
}

// Spreading both would cost six times as much as all else, of sixty thousand entries.
function heardMac([{ vni, mac }, value]: [FdbKey, LearnedEntry]): HeardMac {
  const { ifindex, vtep, sinceNs, seenNs } = value
  return { vni, mac, ifindex, vtep, sinceNs, seenNs }
}

function heardBinding([{ vni, ip }, value]: [NeighborKey, SnoopedEntry]): HeardBinding {
  const { mac, flags, ifindex, sinceNs, seenNs } = value
  const router = (flags & NeighborFlag.NEIGHBOR_ROUTER) !== 0
  return { vni, ip, mac, router, ifindex, sinceNs, seenNs }
}

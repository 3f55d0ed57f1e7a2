import type { Ip } from '../../model/ip.js'
import { isStation, type Mac } from '../../model/mac.js'
import type { NodeState } from '../../model/segment-table.js'
import type { Claim } from '../../rpc/records.js'
import type { PlacedPort } from '../reconcile/placement.js'

/** A MAC heard on a device, as `learned` has it; times of CLOCK_MONOTONIC. */
export interface HeardMac {
  readonly vni: number
  readonly mac: Mac
  readonly ifindex: number
  readonly sinceNs: number
  readonly seenNs: number
}

/** What heard MACs are judged by. */
export interface Surroundings {
  readonly state: NodeState
  /** By ifindex. */
  readonly ports: ReadonlyMap<number, PlacedPort>
  readonly nowNs: number
}

/** What an audit of `learned` calls for. */
export interface Audit {
  readonly claims: readonly Claim[]
  /** No longer true: to be taken out of `learned`. */
  readonly forget: readonly { readonly vni: number; readonly mac: Mac }[]
}

interface Claimed {
  readonly claim: Claim
  readonly atNs: number
  /** As `learned` last had it. */
  heard: HeardMac
  evicted: boolean
}

const SECOND = 1e9
/** How long a MAC that the controller places elsewhere may still be a move on its way to us. */
const CONTEST_NS = 3 * SECOND
/** How long until a claim without an answer is made again. */
const REPEAT_NS = 10 * SECOND

/**
 * Which MACs this node claims: heard on a port of its segment, not aged, not
 * placed elsewhere by a later word of the controller. Pure; one stream sees one
 * complete set and then changes.
 */
export class LocalMacs {
  private claimed = new Map<string, Claimed>()
  private lost = 0

  /** How often `learned` gave up an entry before its time, because it was full. */
  get evictions(): number {
    return this.lost
  }

  /** A new stream: the next audit gives all claims again. */
  reset(): void {
    this.claimed.clear()
  }

  /** Something was heard just now; `undefined` when the controller knows. */
  hear(heard: HeardMac, around: Surroundings): Claim | undefined {
    return judge(heard, around) === 'claim' ? this.claim(heard, around, 0) : undefined
  }

  /** Goes through all of `learned`. */
  audit(all: Iterable<HeardMac>, around: Surroundings): Audit {
    const claims: Claim[] = []
    const forget: { vni: number; mac: Mac }[] = []
    const kept = new Set<string>()
    for (const heard of all) {
      const judgement = judge(heard, around)
      if (judgement === 'forget') forget.push({ vni: heard.vni, mac: heard.mac })
      if (judgement !== 'claim') continue
      kept.add(keyOf(heard))
      const claim = this.claim(heard, around, REPEAT_NS)
      if (claim) claims.push(claim)
    }
    for (const [key, claimed] of this.claimed) {
      if (kept.has(key) || this.isEvicted(claimed, around)) continue
      this.claimed.delete(key)
      if (!isElsewhere(claimed.claim, around.state)) claims.push({ ...claimed.claim, withdraw: true })
    }
    return { claims, forget }
  }

  // A flood of source MACs pushes others out of `learned`: they are still there,
  // and taking their claims back would make all nodes flood.
  private isEvicted(claimed: Claimed, around: Surroundings): boolean {
    if (judge(claimed.heard, around) !== 'claim') return false
    if (!claimed.evicted) this.lost++
    claimed.evicted = true
    return true
  }

  private claim(heard: HeardMac, around: Surroundings, repeatNs: number): Claim | undefined {
    const { vni, mac } = heard
    const before = this.claimed.get(keyOf(heard))
    const { interface: name } = around.ports.get(heard.ifindex)!
    if (before && before.claim.interface === name) {
      before.heard = heard
      before.evicted = false
      const known = around.state.segments.get(vni)?.entries.get(mac)
      if (known?.vtep === around.state.assignment.vtep) return undefined
      // Heard anew though it is placed elsewhere: it came back. Otherwise the answer may be on its way.
      const answerDue = repeatNs === 0 ? known !== undefined : around.nowNs - before.atNs > repeatNs
      if (!answerDue) return undefined
    }
    const claim = { vni, mac, interface: name, withdraw: false }
    this.claimed.set(keyOf(heard), { claim, atNs: around.nowNs, heard, evicted: false })
    return claim
  }
}

function judge(heard: HeardMac, { state, ports, nowNs }: Surroundings): 'claim' | 'keep' | 'forget' {
  const segment = state.segments.get(heard.vni)
  if (!segment?.spec.learn_ports || ports.get(heard.ifindex)?.vni !== heard.vni) return 'forget'
  if (!isStation(heard.mac)) return 'forget'
  const { mac_ageing_s: ageing } = segment.spec
  if (ageing > 0 && nowNs - heard.seenNs > ageing * SECOND) return 'forget'
  const known = segment.entries.get(heard.mac)
  if (!known) return 'claim'
  if (known.vtep === state.assignment.vtep) return known.static ? 'keep' : 'claim'
  return known.static || nowNs - heard.sinceNs > CONTEST_NS ? 'forget' : 'claim'
}

function isElsewhere({ vni, mac }: Claim, { segments, assignment }: NodeState): boolean {
  const vtep: Ip | undefined = segments.get(vni)?.entries.get(mac)?.vtep
  return vtep !== undefined && vtep !== assignment.vtep
}

function keyOf({ vni, mac }: { vni: number; mac: Mac }): string {
  return `${vni} ${mac}`
}

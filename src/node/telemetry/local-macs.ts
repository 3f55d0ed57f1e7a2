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
/** Claims kept of MACs that are not in `learned` any more: as many as it takes. */
const MOST_EVICTED = 65_536

/**
 * Which MACs this node claims: heard on a port of its segment, not aged, not
 * placed elsewhere by a later word of the controller. Pure; one stream sees one
 * complete set and then changes.
 */
export class LocalMacs {
  private readonly claimed = new Map<string, Claimed>()
  /** Claims that the present stream was not told of. */
  private untold = new Set<string>()
  private lost = 0

  constructor(private readonly mostEvicted = MOST_EVICTED) {}

  /** How often `learned` gave up an entry before its time, because it was full. */
  get evictions(): number {
    return this.lost
  }

  /** A new stream: the next audit gives all claims again. */
  reset(): void {
    this.untold = new Set(this.claimed.keys())
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
    claims.push(...this.auditAbsent(kept, around))
    this.untold.clear()
    return { claims, forget }
  }

  // A flood of source MACs pushes others out of `learned`: they are still there,
  // and taking their claims back would make all nodes flood. Those claimed first
  // are kept, so that the flood itself is what finds no room.
  private auditAbsent(present: ReadonlySet<string>, around: Surroundings): Claim[] {
    const claims: Claim[] = []
    let room = this.mostEvicted
    for (const [key, claimed] of this.claimed) {
      if (present.has(key)) continue
      const { claim, heard } = claimed
      const isEvicted = judge(heard, around) === 'claim'
      if (isEvicted && !claimed.evicted) this.lost++
      claimed.evicted = isEvicted
      const isUntold = this.untold.has(key)
      if (isEvicted && room-- > 0) {
        if (isUntold) claims.push(claim)
        continue
      }
      this.claimed.delete(key)
      if (!isUntold && !isElsewhere(claim, around.state)) claims.push({ ...claim, withdraw: true })
    }
    return claims
  }

  private claim(heard: HeardMac, around: Surroundings, repeatNs: number): Claim | undefined {
    const { vni, mac } = heard
    const key = keyOf(heard)
    const before = this.untold.has(key) ? undefined : this.claimed.get(key)
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
    const claim = { vni, mac, interface: name, withdraw: false, announced: false, addresses: [] }
    this.untold.delete(key)
    this.claimed.set(key, { claim, atNs: around.nowNs, heard, evicted: false })
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

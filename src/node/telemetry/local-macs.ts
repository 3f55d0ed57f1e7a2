import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import type { NodeState } from '../../model/segment-table.js'
import type { Claim, ClaimedAddress } from '../../rpc/records.js'
import { type HeardMac, judge, type Surroundings } from './learned-judgement.js'
import type { LocalMac } from './local-bindings.js'

/** What an audit of `learned` calls for. */
export interface Audit {
  readonly claims: readonly Claim[]
  /** No longer true: to be taken out of `learned`. */
  readonly forget: readonly { readonly vni: number; readonly mac: Mac }[]
  /** True, and not for the controller. */
  readonly kept: readonly HeardMac[]
  /** By ifindex, how many stay there. */
  readonly onPorts: ReadonlyMap<number, number>
}

interface Claimed {
  readonly claim: Claim
  readonly atNs: number
  /** As `learned` last had it. */
  heard: HeardMac
  evicted: boolean
}

const SECOND = 1e9
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

  /** @param addressesOf what a MAC was heard to have, always in the same order */
  constructor(
    private readonly addressesOf: (mac: LocalMac) => readonly ClaimedAddress[] = () => [],
    private readonly mostEvicted = MOST_EVICTED,
  ) {}

  /** How often `learned` gave up an entry before its time, because it was full. */
  get evictions(): number {
    return this.lost
  }

  /** A new stream: the next audit gives all claims again. */
  reset(): void {
    this.untold = new Set(this.claimed.keys())
  }

  /**
   * Something was heard just now; `undefined` when the controller knows. A
   * station that announces itself is told at once, whatever was told before.
   */
  hear(heard: HeardMac, around: Surroundings, announced = false): Claim | undefined {
    return judge(heard, around) === 'claim'
      ? this.claim(heard, around, { repeatNs: 0, announced })
      : undefined
  }

  /** A MAC's addresses changed; `undefined` when it is not claimed, or the controller knows. */
  readdress(mac: LocalMac, around: Surroundings): Claim | undefined {
    const claimed = this.claimed.get(keyOf(mac))
    if (!claimed || judge(claimed.heard, around) !== 'claim') return undefined
    const claim = this.claim(claimed.heard, around, { repeatNs: REPEAT_NS, announced: false })
    this.claimed.get(keyOf(mac))!.evicted = claimed.evicted // heard by its address alone
    return claim
  }

  /** Goes through all of `learned`. */
  audit(all: Iterable<HeardMac>, around: Surroundings): Audit {
    const claims: Claim[] = []
    const forget: { vni: number; mac: Mac }[] = []
    const kept: HeardMac[] = []
    const onPorts = new Map<number, number>()
    const present = new Set<string>()
    for (const heard of all) {
      const judgement = judge(heard, around)
      if (judgement === 'forget') {
        forget.push({ vni: heard.vni, mac: heard.mac })
        continue
      }
      if (heard.ifindex !== 0) onPorts.set(heard.ifindex, (onPorts.get(heard.ifindex) ?? 0) + 1)
      if (judgement === 'keep') {
        kept.push(heard)
        continue
      }
      present.add(keyOf(heard))
      const claim = this.claim(heard, around, { repeatNs: REPEAT_NS, announced: false })
      if (claim) claims.push(claim)
    }
    claims.push(...this.auditAbsent(present, around))
    this.untold.clear()
    return { claims, forget, kept, onPorts }
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

  private claim(
    heard: HeardMac,
    around: Surroundings,
    say: { readonly repeatNs: number; readonly announced: boolean },
  ): Claim | undefined {
    const { vni, mac } = heard
    const key = keyOf(heard)
    const before = this.untold.has(key) ? undefined : this.claimed.get(key)
    const { interface: name } = around.ports.get(heard.ifindex)!
    const addresses = this.addressesOf(heard)
    if (before && before.claim.interface === name && sameAddresses(before.claim.addresses, addresses)) {
      before.heard = heard
      before.evicted = false
      if (!isDue(before, around, say)) return undefined
    }
    const claim = { vni, mac, interface: name, withdraw: false, announced: say.announced, addresses }
    this.untold.delete(key)
    this.claimed.set(key, {
      claim: { ...claim, announced: false },
      atNs: around.nowNs,
      heard,
      evicted: false,
    })
    return claim
  }
}

/** Whether a claim that was made before is to be made again. */
function isDue(
  { claim: { vni, mac }, atNs }: Claimed,
  { state, nowNs }: Surroundings,
  say: { readonly repeatNs: number; readonly announced: boolean },
): boolean {
  const known = state.segments.get(vni)?.entries.get(mac)
  if (known?.vtep === state.assignment.vtep) return false
  if (say.announced) return true
  // Heard anew though it is placed elsewhere: it came back. Otherwise the answer may be on its way.
  return say.repeatNs === 0 ? known !== undefined : nowNs - atNs > say.repeatNs
}

function sameAddresses(a: readonly ClaimedAddress[], b: readonly ClaimedAddress[]): boolean {
  return a.length === b.length && a.every(({ ip, router }, i) => ip === b[i]!.ip && router === b[i]!.router)
}

function isElsewhere({ vni, mac }: Claim, { segments, assignment }: NodeState): boolean {
  const vtep: Ip | undefined = segments.get(vni)?.entries.get(mac)?.vtep
  return vtep !== undefined && vtep !== assignment.vtep
}

function keyOf({ vni, mac }: { vni: number; mac: Mac }): string {
  return `${vni} ${mac}`
}

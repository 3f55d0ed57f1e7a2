import type { Ip } from '../../model/ip.js'
import { isStation, type Mac } from '../../model/mac.js'
import type { ClaimedAddress } from '../../rpc/records.js'
import { isContest, isSilent, type Judgement, type Surroundings } from './learned-judgement.js'

/** An address that a MAC was heard to have, as `snooped` has it; times of CLOCK_MONOTONIC. */
export interface HeardBinding {
  readonly vni: number
  readonly ip: Ip
  readonly mac: Mac
  readonly router: boolean
  /** 0: from a tunnel. */
  readonly ifindex: number
  readonly sinceNs: number
  readonly seenNs: number
}

export interface LocalMac {
  readonly vni: number
  readonly mac: Mac
}

/** Of one MAC: a station that makes up addresses must not fill the controller's store. */
const MOST_ADDRESSES = 16

/** In the order in which they were heard; what is told never gives way to what came later. */
interface Addresses {
  readonly told: Map<Ip, HeardBinding>
  readonly waiting: Map<Ip, HeardBinding>
}

/** Which addresses the MACs of this node's ports have, for their claims. Pure. */
export class LocalBindings {
  private readonly byAddress = new Map<string, HeardBinding>()
  private readonly byMac = new Map<string, Addresses>()
  private left = 0

  /** How often an address was not told, because its MAC had too many. */
  get leftOut(): number {
    return this.left
  }

  /** Always in the same order. */
  addressesOf({ vni, mac }: LocalMac): readonly ClaimedAddress[] {
    const addresses = this.byMac.get(macKey({ vni, mac }))
    if (!addresses) return []
    const told = [...addresses.told.values()].map(({ ip, router }) => ({ ip, router }))
    return told.sort((a, b) => (a.ip < b.ip ? -1 : 1))
  }

  /** Something was heard just now; the MACs whose addresses are not as before. */
  hear(heard: HeardBinding, around: Surroundings): LocalMac[] {
    return judgeBinding(heard, around) === 'claim' ? this.put(heard) : this.drop(addressKey(heard))
  }

  /** Goes through all of `snooped`: which MACs' addresses changed, and what is to be taken out. */
  audit(
    all: readonly HeardBinding[],
    around: Surroundings,
  ): { readonly changed: readonly LocalMac[]; readonly forget: readonly HeardBinding[] } {
    const judged = all.map((heard) => ({ heard, judgement: judgeBinding(heard, around) }))
    const of = (wanted: Judgement) =>
      judged.filter(({ judgement }) => judgement === wanted).map(({ heard }) => heard)
    const here = of('claim').sort((a, b) => a.sinceNs - b.sinceNs)
    const kept = new Set(here.map(addressKey))
    const gone = [...this.byAddress.keys()].filter((key) => !kept.has(key))
    const changed = [...gone.flatMap((key) => this.drop(key)), ...here.flatMap((heard) => this.put(heard))]
    return { changed, forget: of('forget') }
  }

  private put(heard: HeardBinding): LocalMac[] {
    const key = addressKey(heard)
    const before = this.byAddress.get(key)
    const lost = before && before.mac !== heard.mac ? this.drop(key) : []
    this.byAddress.set(key, heard)
    const { told, waiting } = this.of(heard)
    if (waiting.has(heard.ip)) {
      waiting.set(heard.ip, heard)
      return lost
    }
    if (!told.has(heard.ip) && told.size >= MOST_ADDRESSES) {
      waiting.set(heard.ip, heard)
      this.left++
      return lost
    }
    const same = told.get(heard.ip)?.router === heard.router
    told.set(heard.ip, heard)
    return same ? lost : [...lost, heard]
  }

  private drop(key: string): LocalMac[] {
    const before = this.byAddress.get(key)
    if (!before) return []
    this.byAddress.delete(key)
    const { told, waiting } = this.of(before)
    if (waiting.delete(before.ip)) return []
    told.delete(before.ip)
    const [next] = waiting.values()
    if (next) {
      waiting.delete(next.ip)
      told.set(next.ip, next)
    }
    if (told.size === 0) this.byMac.delete(macKey(before))
    return [before]
  }

  private of(one: LocalMac): Addresses {
    const key = macKey(one)
    const known = this.byMac.get(key) ?? { told: new Map(), waiting: new Map() }
    this.byMac.set(key, known)
    return known
  }
}

/** PURE: what is to be done about an entry of `snooped`. */
export function judgeBinding(heard: HeardBinding, { state, ports, nowNs }: Surroundings): Judgement {
  const segment = state.segments.get(heard.vni)
  if (!segment?.spec.suppress || !isStation(heard.mac)) return 'forget'
  if (isSilent(heard.seenNs, segment, nowNs)) return 'forget'
  const isHere = heard.ifindex !== 0
  if (isHere ? ports.get(heard.ifindex)?.vni !== heard.vni : !segment.spec.learn_tunnels) return 'forget'
  const known = segment.bindings.get(heard.ip)
  // Somebody else has it now, for the controller: a wrong answer is worse than none.
  if (known && known.mac !== heard.mac && !isContest(heard.sinceNs, nowNs)) return 'forget'
  return isHere && segment.spec.claim_macs ? 'claim' : 'keep'
}

function addressKey({ vni, ip }: { readonly vni: number; readonly ip: Ip }): string {
  return `${vni} ${ip}`
}

function macKey({ vni, mac }: LocalMac): string {
  return `${vni} ${mac}`
}

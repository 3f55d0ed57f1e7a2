import type { Ip } from '../../model/ip.js'
import { isStation, type Mac } from '../../model/mac.js'
import type { NodeState, SegmentTable } from '../../model/segment-table.js'
import type { PlacedPort } from '../reconcile/placement.js'
import { segmentVteps } from '../reconcile/tables.js'

/** A MAC heard at a place, as `learned` has it; times of CLOCK_MONOTONIC. */
export interface HeardMac {
  readonly vni: number
  readonly mac: Mac
  /** 0: behind `vtep`. */
  readonly ifindex: number
  readonly vtep: Ip
  readonly sinceNs: number
  readonly seenNs: number
}

/** What is heard is judged by this. */
export interface Surroundings {
  readonly state: NodeState
  /** By ifindex. */
  readonly ports: ReadonlyMap<number, PlacedPort>
  readonly nowNs: number
}

/** To be told to the controller, to be left where it is, or not true any more. */
export type Judgement = 'claim' | 'keep' | 'forget'

const SECOND = 1e9
/** How long what the controller says otherwise may still be on its way to us. */
const CONTEST_NS = 3 * SECOND

/** PURE: what is to be done about an entry of `learned`. */
export function judge(heard: HeardMac, around: Surroundings): Judgement {
  const { state, nowNs } = around
  const segment = state.segments.get(heard.vni)
  if (!segment || !isStation(heard.mac) || !isPlace(heard, segment, around)) return 'forget'
  if (isSilent(heard.seenNs, segment, nowNs)) return 'forget'
  const self = state.assignment.vtep
  const known = segment.entries.get(heard.mac)
  if (known?.static) return known.vtep === (heard.ifindex === 0 ? heard.vtep : self) ? 'keep' : 'forget'
  if (heard.ifindex === 0 || !segment.spec.claim_macs) return 'keep'
  if (!known || known.vtep === self) return 'claim'
  return isContest(heard.sinceNs, nowNs) ? 'claim' : 'forget'
}

/** PURE: whether something was not heard for as long as its segment lets it live. */
export function isSilent(seenNs: number, { spec }: SegmentTable, nowNs: number): boolean {
  return spec.mac_ageing_s > 0 && nowNs - seenNs > spec.mac_ageing_s * SECOND
}

/** PURE: whether it came so lately that the controller's answer may be on its way. */
export function isContest(sinceNs: number, nowNs: number): boolean {
  return nowNs - sinceNs <= CONTEST_NS
}

function isPlace({ vni, ifindex, vtep }: HeardMac, segment: SegmentTable, { ports }: Surroundings): boolean {
  const { spec } = segment
  if (ifindex !== 0) return spec.learn_ports && ports.get(ifindex)?.vni === vni
  return spec.learn_tunnels && segmentVteps(segment).has(vtep)
}

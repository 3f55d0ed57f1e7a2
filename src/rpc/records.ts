import type { Ip } from '../model/ip.js'
import type { Mac } from '../model/mac.js'
import type { NodeAssignment } from '../model/segment-table.js'
import type { SegmentUpdate } from '../model/segment-update.js'
import type { Answer, Question } from './questions.js'

/**
 * What crosses the stream, as both sides handle it. The bytes are those of
 * proto/weft/v1/node_sync.proto; convert.ts goes between the two.
 */

export interface HeldSegment {
  readonly vni: number
  readonly revision: bigint
  readonly hash: bigint
}

/** Of what both sides say to each other; raised when one that knows less would misread the other. */
export const PROTOCOL_VERSION = 2

export interface Hello {
  readonly node: string
  /** Digest of the layouts that the node was built with; to be shown, nothing is decided by it. */
  readonly abi: string
  readonly version: string
  readonly instance: string
  readonly held: readonly HeldSegment[]
}

/** An object that a node could not program. */
export interface Failure {
  /** Of the error catalogue, as `W-2104`. */
  readonly code: string
  /** The object, as `port host0/tap0`. */
  readonly what: string
  readonly message: string
  /** The command that helps; may be empty. */
  readonly next: string
}

export interface Applied {
  readonly revision: bigint
  readonly failures: readonly Failure[]
}

export interface Claim {
  readonly vni: number
  readonly mac: Mac
  readonly interface: string
  readonly withdraw: boolean
  /** The station said itself that it is here: gratuitous ARP, unsolicited advertisement, RARP. */
  readonly announced: boolean
  /** All addresses that it was heard to have. */
  readonly addresses: readonly ClaimedAddress[]
}

export interface ClaimedAddress {
  readonly ip: Ip
  readonly router: boolean
}

export interface Claims {
  /** The whole claim set: what it does not name is withdrawn. */
  readonly complete: boolean
  readonly claims: readonly Claim[]
}

export interface TunnelCount {
  readonly vni: number
  readonly vtep: Ip
  readonly tx_packets: number
  readonly tx_bytes: number
  readonly tx_flooded: number
  readonly rx_packets: number
  readonly rx_bytes: number
  readonly rx_flooded: number
  /** Of tx_packets and rx_packets, those that took the fast path. */
  readonly tx_fast: number
  readonly rx_fast: number
}

export interface VerdictCount {
  readonly vni: number
  readonly program: string
  /** As `drop_unknown_vtep`. */
  readonly reason: string
  readonly packets: number
  readonly bytes: number
}

export interface PortState {
  readonly interface: string
  readonly vni: number
  readonly state: string
  readonly mtu: number
  readonly ifindex: number
}

export interface ProgramState {
  readonly program: string
  readonly interface: string
  readonly direction: string
  readonly id: number
  readonly mechanism: string
}

export interface MapState {
  readonly map: string
  readonly entries: number
  readonly max_entries: number
}

/** What a node counts and sees; totals since the maps were made. */
export interface Report {
  readonly tunnels: readonly TunnelCount[]
  readonly verdicts: readonly VerdictCount[]
  readonly ports: readonly PortState[]
  readonly programs: readonly ProgramState[]
  readonly maps: readonly MapState[]
  readonly events_lost: number
  /** Of the VXLAN device, bytes; 0 when it is away. */
  readonly tunnel_mtu: number
  /** Beside frames and events, by kind. */
  readonly losses: readonly { readonly kind: string; readonly count: number }[]
  /** To each other VTEP of the node's segments. */
  readonly paths: readonly PathState[]
}

/** What probes through the tunnel found of the way to one VTEP. */
export interface PathState {
  readonly vtep: Ip
  /** ok, too_small, no_answer or unknown. */
  readonly state: string
  /** Largest Ethernet payload that came through; 0: none did. */
  readonly path_mtu: number
  /** What the segments need. */
  readonly wanted_mtu: number
  /** Of the last probe that was answered. */
  readonly rtt_us: number
}

/** One message from a node. */
export type NodeReport =
  | { readonly kind: 'hello'; readonly hello: Hello; readonly protocol: number }
  | { readonly kind: 'applied'; readonly applied: Applied }
  | { readonly kind: 'claims'; readonly claims: Claims }
  | { readonly kind: 'telemetry'; readonly telemetry: Report }
  | { readonly kind: 'segment_request'; readonly vni: number }
  | { readonly kind: 'answer'; readonly answer: Answer }

/** What a controller says of how the node shall be. */
export type StateChange =
  | { readonly kind: 'node'; readonly assignment: NodeAssignment }
  | { readonly kind: 'segment'; readonly update: SegmentUpdate }
  | { readonly kind: 'segment_remove'; readonly vni: number }
  | { readonly kind: 'in_sync'; readonly revision: bigint }

/** What a controller wants to know. Numbers are not used again within a stream. */
export type Asking =
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'ask_end'; readonly id: number }

/** One message from a controller. */
export type ControllerChange = StateChange | Asking

import type { Ip } from '../model/ip.js'
import type { Mac } from '../model/mac.js'
import type { Failure } from './records.js'

/**
 * What a controller asks a node, and what the node answers: of what is in its
 * kernel now, and of frames. Bounded at both ends, and over with the stream.
 */

/** A port of the node, or the other end of a tunnel. */
export type Place = { readonly interface: string } | { readonly vtep: Ip }

/** What the programs learned, and the journal of moves. */
export interface LearnedQuestion {
  readonly kind: 'learned'
  /** 0: all. */
  readonly vni: number
  readonly mac: Mac | undefined
  /** Entries; what is left out is counted. */
  readonly limit: number
}

/** One hop: what the programs of the node would do with a frame. */
export interface SimulateQuestion {
  readonly kind: 'simulate'
  readonly vni: number
  readonly from: Place
  readonly source: Mac
  readonly destination: Mac
  /** Bytes, with the Ethernet header. */
  readonly size: number
}

/** Frames at the programs of the node, until the question ends. */
export interface TapQuestion {
  readonly kind: 'tap'
  /** 0: all. */
  readonly vni: number
  /** Where the program runs; empty: all. */
  readonly interface: string
  readonly source: Mac | undefined
  readonly destination: Mac | undefined
  /** The pair of MACs in the other direction too. */
  readonly both_ways: boolean
  /** 0n: marked or not. */
  readonly marker: bigint
  /** Bytes of each frame. */
  readonly snaplen: number
  /** Also frames that leave by a port. */
  readonly deliveries: boolean
  readonly duration_ms: number
  /** Frames, then it ends. */
  readonly most: number
}

/** Frames into the ingress of a port, as if its station had sent them. */
export interface InjectQuestion {
  readonly kind: 'inject'
  readonly interface: string
  readonly frame: Uint8Array
  readonly count: number
  readonly gap_ms: number
}

export type Question = LearnedQuestion | SimulateQuestion | TapQuestion | InjectQuestion

export interface LearnedMac {
  readonly vni: number
  readonly mac: Mac
  readonly at: Place
  /** Where it was before; `undefined`: nowhere else. */
  readonly from: Place | undefined
  /** How often it changed its place. */
  readonly moves: number
  /** How long ago it came there. */
  readonly since_ms: number
  /** How long ago it spoke. */
  readonly seen_ms: number
}

export interface LearnedMove {
  readonly vni: number
  readonly mac: Mac
  readonly at: Place
  readonly from: Place | undefined
  /** By gratuitous ARP, unsolicited advertisement or RARP. */
  readonly announced: boolean
  readonly ago_ms: number
}

export interface LearnedAnswer {
  readonly kind: 'learned'
  readonly macs: readonly LearnedMac[]
  readonly moves: readonly LearnedMove[]
  readonly left_out: number
}

export interface LookedUp {
  readonly map: string
  readonly key: string
  /** Empty: there is no such entry. */
  readonly value: string
  /** That wrote the entry; 0n: none did, it was learned or is not there. */
  readonly revision: bigint
}

export interface SimulateAnswer {
  readonly kind: 'simulate'
  readonly program: string
  /** As `forward_tunnel`. */
  readonly reason: string
  readonly looked_up: readonly LookedUp[]
  /** Where it goes on; several when it is flooded. */
  readonly next: readonly Place[]
  /** Multicast group of the underlay that it goes to. */
  readonly group: Ip | undefined
  /** Up to which the tables were written. */
  readonly revision: bigint
}

export interface FrameRecord {
  /** Nanoseconds since 1970, of the node's clock. */
  readonly at_ns: bigint
  readonly vni: number
  readonly program: string
  readonly reason: string
  /** Where the program runs. */
  readonly interface: string
  /** The other end of the tunnel, where there is one. */
  readonly vtep: Ip | undefined
  readonly length: number
  /** From its Ethernet header, what was inside when it was encapsulated; cut at snaplen. */
  readonly bytes: Uint8Array
}

/** The first of them says that the tap is in place. */
export interface TapAnswer {
  readonly kind: 'tap'
  readonly frames: readonly FrameRecord[]
  /** Since the tap began, frames that found no room. */
  readonly lost: number
}

export interface InjectAnswer {
  readonly kind: 'inject'
  readonly sent: number
}

export type AnswerBody = LearnedAnswer | SimulateAnswer | TapAnswer | InjectAnswer

/** What a question of this kind is answered with. */
export type AnswerTo<Q extends Question> = Extract<AnswerBody, { kind: Q['kind'] }>

/** One message of those that answer question `id`. */
export interface Answer {
  readonly id: number
  readonly last: boolean
  /** Why there is none; such an answer is the last. */
  readonly failure: Failure | undefined
  readonly body: AnswerBody | undefined
}

import type { FailureMessage, U64 } from './messages.js'

/** Questions and answers of proto/weft/v1/node_sync.proto, as messages.ts has the rest. */

/** Both empty: none. */
export interface PlaceMessage {
  interface: string
  vtep: Uint8Array
}

export interface LearnedQuestionMessage {
  vni: number
  mac: Uint8Array
  limit: number
}

export interface SimulateQuestionMessage {
  vni: number
  from?: PlaceMessage | null
  source: Uint8Array
  destination: Uint8Array
  size: number
}

export interface TapQuestionMessage {
  vni: number
  interface: string
  source: Uint8Array
  destination: Uint8Array
  both_ways: boolean
  marker: U64
  snaplen: number
  deliveries: boolean
  duration_ms: number
  most: number
}

export interface InjectQuestionMessage {
  interface: string
  frame: Uint8Array
  count: number
  gap_ms: number
}

/** One of the fields is set. */
export interface QuestionMessage {
  learned?: LearnedQuestionMessage | null
  simulate?: SimulateQuestionMessage | null
  tap?: TapQuestionMessage | null
  inject?: InjectQuestionMessage | null
}

export interface AskMessage extends QuestionMessage {
  id: number
}

export interface LearnedMacMessage {
  vni: number
  mac: Uint8Array
  at?: PlaceMessage | null
  from?: PlaceMessage | null
  moves: number
  since_ms: U64
  seen_ms: U64
}

export interface LearnedMoveMessage {
  vni: number
  mac: Uint8Array
  at?: PlaceMessage | null
  from?: PlaceMessage | null
  announced: boolean
  ago_ms: U64
}

export interface LearnedAnswerMessage {
  macs: LearnedMacMessage[]
  moves: LearnedMoveMessage[]
  left_out: number
}

export interface SimulateAnswerMessage {
  program: string
  reason: string
  looked_up: { map: string; key: string; value: string; revision: U64 }[]
  next: PlaceMessage[]
  group: Uint8Array
  revision: U64
}

export interface FrameRecordMessage {
  at_ns: U64
  vni: number
  program: string
  reason: string
  interface: string
  vtep: Uint8Array
  length: number
  bytes: Uint8Array
}

export interface TapAnswerMessage {
  frames: FrameRecordMessage[]
  lost: U64
}

/** At most one of the bodies is set. */
export interface AnswerMessage {
  id: number
  last: boolean
  failure?: FailureMessage | null
  learned?: LearnedAnswerMessage | null
  simulate?: SimulateAnswerMessage | null
  tap?: TapAnswerMessage | null
  inject?: { sent: number } | null
}

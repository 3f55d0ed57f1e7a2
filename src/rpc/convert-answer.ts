import { WeftError } from '../common/errors.js'
import { macFromBytes, macToBytes } from './mac-bytes.js'
import { ipOrNone, optionalIp, placeFromMessage, placeToMessage } from './place-bytes.js'
import type {
  AnswerMessage,
  FrameRecordMessage,
  LearnedAnswerMessage,
  LearnedMacMessage,
  LearnedMoveMessage,
  PlaceMessage,
  SimulateAnswerMessage,
} from './question-messages.js'
import type {
  AnswerBody,
  FrameRecord,
  LearnedAnswer,
  LearnedMac,
  LearnedMove,
  Place,
  SimulateAnswer,
} from './questions.js'

/** PURE: the bodies of answers, as records and as messages. */
export function answerBodyToMessage(body: AnswerBody): Partial<AnswerMessage> {
  switch (body.kind) {
    case 'learned':
      return { learned: learnedToMessage(body) }
    case 'simulate':
      return { simulate: simulateToMessage(body) }
    case 'tap':
      return { tap: { frames: body.frames.map(frameToMessage), lost: `${body.lost}` } }
    case 'inject':
      return { inject: { sent: body.sent } }
  }
}

/** `undefined` when it holds none, as the last of a stream may. */
export function answerBodyFromMessage(message: AnswerMessage): AnswerBody | undefined {
  const { learned, simulate, tap, inject } = message
  if (learned) return learnedFromMessage(learned)
  if (simulate) return simulateFromMessage(simulate)
  if (tap) return { kind: 'tap', frames: tap.frames.map(frameFromMessage), lost: Number(tap.lost) }
  if (inject) return { kind: 'inject', sent: inject.sent }
  return undefined
}

function learnedToMessage({ macs, moves, left_out }: LearnedAnswer): LearnedAnswerMessage {
  return { macs: macs.map(macToMessage), moves: moves.map(moveToMessage), left_out }
}

function learnedFromMessage({ macs, moves, left_out }: LearnedAnswerMessage): LearnedAnswer {
  return { kind: 'learned', macs: macs.map(macFromMessage), moves: moves.map(moveFromMessage), left_out }
}

function macToMessage({ mac, at, from, since_ms, seen_ms, ...rest }: LearnedMac): LearnedMacMessage {
  const ages = { since_ms: `${since_ms}`, seen_ms: `${seen_ms}` }
  return { ...rest, mac: macToBytes(mac), at: placeToMessage(at), from: placeToMessage(from), ...ages }
}

function macFromMessage({ mac, at, from, since_ms, seen_ms, ...rest }: LearnedMacMessage): LearnedMac {
  const ages = { since_ms: Number(since_ms), seen_ms: Number(seen_ms) }
  return { ...rest, mac: macFromBytes(mac), at: mustBe(at), from: placeFromMessage(from), ...ages }
}

function moveToMessage({ mac, at, from, ago_ms, ...rest }: LearnedMove): LearnedMoveMessage {
  const places = { at: placeToMessage(at), from: placeToMessage(from) }
  return { ...rest, mac: macToBytes(mac), ...places, ago_ms: `${ago_ms}` }
}

function moveFromMessage({ mac, at, from, ago_ms, ...rest }: LearnedMoveMessage): LearnedMove {
  const places = { at: mustBe(at), from: placeFromMessage(from) }
  return { ...rest, mac: macFromBytes(mac), ...places, ago_ms: Number(ago_ms) }
}

function simulateToMessage(answer: SimulateAnswer): SimulateAnswerMessage {
  return {
    program: answer.program,
    reason: answer.reason,
    looked_up: answer.looked_up.map((one) => ({ ...one, revision: `${one.revision}` })),
    next: answer.next.map(placeToMessage),
    group: optionalIp(answer.group),
    revision: `${answer.revision}`,
  }
}

function simulateFromMessage(message: SimulateAnswerMessage): SimulateAnswer {
  return {
    kind: 'simulate',
    program: message.program,
    reason: message.reason,
    looked_up: message.looked_up.map((one) => ({ ...one, revision: BigInt(one.revision) })),
    next: message.next.map(mustBe),
    group: ipOrNone(message.group),
    revision: BigInt(message.revision),
  }
}

function frameToMessage({ at_ns, vtep, ...rest }: FrameRecord): FrameRecordMessage {
  return { ...rest, at_ns: `${at_ns}`, vtep: optionalIp(vtep) }
}

function frameFromMessage({ at_ns, vtep, ...rest }: FrameRecordMessage): FrameRecord {
  return { ...rest, at_ns: BigInt(at_ns), vtep: ipOrNone(vtep) }
}

function mustBe(message: PlaceMessage | null | undefined): Place {
  const place = placeFromMessage(message)
  if (!place) throw new WeftError('W-3010', 'an answer of a node lacks a place')
  return place
}

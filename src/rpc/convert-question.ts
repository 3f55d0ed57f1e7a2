import { WeftError } from '../common/errors.js'
import { answerBodyFromMessage, answerBodyToMessage } from './convert-answer.js'
import { macFromBytes, macToBytes } from './mac-bytes.js'
import { macOrNone, optionalMac, placeFromMessage, placeToMessage } from './place-bytes.js'
import type {
  AnswerMessage,
  QuestionMessage,
  SimulateQuestionMessage,
  TapQuestionMessage,
} from './question-messages.js'
import type { Answer, Question, SimulateQuestion, TapQuestion } from './questions.js'

/** PURE: questions, and the frame of answers, as records and as messages. */
export function questionToMessage(question: Question): QuestionMessage {
  switch (question.kind) {
    case 'learned':
      return { learned: { vni: question.vni, mac: optionalMac(question.mac), limit: question.limit } }
    case 'simulate': {
      const { kind: _, from, source, destination, ...rest } = question
      const macs = { source: macToBytes(source), destination: macToBytes(destination) }
      return { simulate: { ...rest, ...macs, from: placeToMessage(from) } }
    }
    case 'tap': {
      const { kind: _, source, destination, marker, ...rest } = question
      const macs = { source: optionalMac(source), destination: optionalMac(destination) }
      return { tap: { ...rest, ...macs, marker: `${marker}` } }
    }
    case 'inject': {
      const { kind: _, ...rest } = question
      return { inject: rest }
    }
  }
}

/** @throws WeftError W-3010 when it asks nothing that is known, or an address or MAC has another length. */
export function questionFromMessage(message: QuestionMessage): Question {
  const { learned, simulate, tap, inject } = message
  if (learned) return { kind: 'learned', ...learned, mac: macOrNone(learned.mac) }
  if (simulate) return simulateFromMessage(simulate)
  if (tap) return tapFromMessage(tap)
  if (inject) return { kind: 'inject', ...inject }
  throw new WeftError('W-3010', 'a question of the controller is none of those known')
}

export function answerToMessage({ id, last, failure, body }: Answer): AnswerMessage {
  return { id, last, ...(failure && { failure }), ...(body && answerBodyToMessage(body)) }
}

/** @throws WeftError W-3010 */
export function answerFromMessage(message: AnswerMessage): Answer {
  const { id, last, failure } = message
  return { id, last, failure: failure ?? undefined, body: answerBodyFromMessage(message) }
}

function simulateFromMessage(message: SimulateQuestionMessage): SimulateQuestion {
  const from = placeFromMessage(message.from)
  if (!from) throw new WeftError('W-3010', 'a question does not say where the frame comes in')
  return {
    kind: 'simulate',
    vni: message.vni,
    from,
    source: macFromBytes(message.source),
    destination: macFromBytes(message.destination),
    size: message.size,
  }
}

function tapFromMessage({ source, destination, marker, ...rest }: TapQuestionMessage): TapQuestion {
  return {
    kind: 'tap',
    ...rest,
    source: macOrNone(source),
    destination: macOrNone(destination),
    marker: BigInt(marker),
  }
}

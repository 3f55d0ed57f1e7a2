import { WeftError } from '../../common/errors.js'
import type { Logger } from '../../common/logger.js'
import type { AnswerBody, AnswerTo, Question } from '../../rpc/questions.js'
import type { Asking, NodeReport } from '../../rpc/records.js'

/** Answered at a time. */
const MOST = 64

/** Where answers go: a stream, which is another one after the next reconnect. */
export interface AnswerSink {
  send(report: NodeReport): void
  readonly congested: boolean
}

export interface Reply<B extends AnswerBody> {
  (body: B): void
  /** The stream takes no more now: leave out what may be counted as lost. */
  readonly congested: boolean
}

/** Answers one kind of question; ends by returning, by throwing, or soon after `signal` aborts. */
export type Answerer<Q extends Question> = (
  question: Q,
  reply: Reply<AnswerTo<Q>>,
  signal: AbortSignal,
) => Promise<void>

export type Answerers = { readonly [Q in Question as Q['kind']]: Answerer<Q> }

/**
 * Answers what the controller asks. What a question started ends with it, and
 * all of it when the stream does.
 */
export class Answering {
  private answerers: Answerers | undefined
  private readonly running = new Map<number, AbortController>()

  constructor(private readonly log: Logger) {}

  /** From now on; `undefined`: nothing is in the kernel to answer from. */
  use(answerers: Answerers | undefined): void {
    this.answerers = answerers
    if (!answerers) this.endAll()
  }

  take(asking: Asking, sink: AnswerSink): void {
    if (asking.kind === 'ask_end') this.running.get(asking.id)?.abort()
    else void this.answer(asking.id, asking.question, sink)
  }

  /** The stream is over. */
  endAll(): void {
    for (const stop of this.running.values()) stop.abort()
    this.running.clear()
  }

  private async answer(id: number, question: Question, sink: AnswerSink): Promise<void> {
    const stop = new AbortController()
    const say = (body: AnswerBody | undefined, error?: WeftError) => {
      if (stop.signal.aborted) return
      const last = body === undefined
      sink.send({ kind: 'answer', answer: { id, last, failure: error && failureOf(error, question), body } })
    }
    try {
      await this.answererOf(question)(
        question as never,
        replyTo(say, sink) as Reply<never>,
        this.begin(id, stop),
      )
      say(undefined)
    } catch (err) {
      const error = WeftError.from(err)
      this.log.debug({ err: error, question: question.kind }, 'question not answered')
      say(undefined, error)
    } finally {
      if (this.running.get(id) === stop) this.running.delete(id)
    }
  }

  private begin(id: number, stop: AbortController): AbortSignal {
    if (this.running.size >= MOST) throw new WeftError('W-3021', `${MOST} questions are being answered`)
    this.running.set(id, stop)
    return stop.signal
  }

  private answererOf(question: Question): Answerer<never> {
    if (!this.answerers) throw new WeftError('W-2120', 'the node has no tables in its kernel yet')
    return this.answerers[question.kind] as unknown as Answerer<never>
  }
}

function replyTo(say: (body: AnswerBody) => void, sink: AnswerSink): Reply<AnswerBody> {
  return Object.defineProperty((body: AnswerBody) => say(body), 'congested', {
    get: () => sink.congested,
  }) as Reply<AnswerBody>
}

function failureOf(error: WeftError, { kind }: Question) {
  return { code: error.code, what: kind, message: error.message, next: error.next ?? '' }
}

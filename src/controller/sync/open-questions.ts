import { WeftError } from '../../common/errors.js'
import type { Answer, AnswerBody, AnswerTo, Question } from '../../rpc/questions.js'
import type { Asking } from '../../rpc/records.js'
import { Mailbox } from './mailbox.js'

/** Open at one node at a time. */
const MOST = 64

export interface AskOptions {
  /** Until each answer; of a tap, until the one that says that it is in place. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** The questions that are open on one node's stream. They end with it. */
export class OpenQuestions {
  private readonly open = new Map<number, Mailbox>()
  private last = 0

  constructor(
    private readonly node: string,
    private readonly send: (asking: Asking) => void,
  ) {}

  /**
   * The answers as they come. What the question started on the node ends when
   * the reader stops, the signal aborts or the stream is lost.
   *
   * @throws WeftError W-3020 when the node is late, W-3015 when it leaves, W-3021 when too much is asked
   *   of it, or what it says itself.
   */
  async *ask<Q extends Question>(question: Q, opts: AskOptions): AsyncGenerator<AnswerTo<Q>, void, void> {
    if (opts.signal?.aborted) return
    if (this.open.size >= MOST) throw new WeftError('W-3021', `${MOST} questions to ${this.node} are open`)
    const id = ++this.last
    const mailbox = new Mailbox()
    const stop = () => mailbox.end()
    opts.signal?.addEventListener('abort', stop, { once: true })
    this.open.set(id, mailbox)
    this.send({ kind: 'ask', id, question })
    try {
      let waitMs: number | undefined = opts.timeoutMs
      for (;;) {
        const body: AnswerBody | undefined = await mailbox.take(waitMs, () => this.late(question, opts))
        if (!body) return
        yield body as AnswerTo<Q>
        if (question.kind === 'tap') waitMs = undefined
      }
    } finally {
      opts.signal?.removeEventListener('abort', stop)
      if (this.open.delete(id)) this.send({ kind: 'ask_end', id })
    }
  }

  /** An answer to a question that is over is late, and nobody's. */
  heard({ id, last, failure, body }: Answer): void {
    const mailbox = this.open.get(id)
    if (!mailbox) return
    if (last || failure) this.open.delete(id)
    if (body) mailbox.put(body)
    if (failure) mailbox.end(WeftError.fromFailure(failure, this.node))
    else if (last) mailbox.end()
  }

  /** The stream is over. */
  close(): void {
    for (const mailbox of this.open.values()) mailbox.end(awayError(this.node))
    this.open.clear()
  }

  private late({ kind }: Question, { timeoutMs }: AskOptions): WeftError {
    return new WeftError(
      'W-3020',
      `node ${this.node} did not answer (${kind}) within ${timeoutMs / 1000} s`,
      {
        next: `weft describe node ${this.node}`,
        details: { node: this.node },
      },
    )
  }
}

export function awayError(node: string): WeftError {
  return new WeftError('W-3015', `node ${node} is not connected`, {
    next: 'start weft-node there',
    details: { node },
  })
}

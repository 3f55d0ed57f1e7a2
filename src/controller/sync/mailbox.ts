import type { WeftError } from '../../common/errors.js'
import type { AnswerBody } from '../../rpc/questions.js'

/** Frames that wait for their reader, bytes with what holds them; more are counted as lost. */
const MOST_WAITING = 8 << 20
const RECORD_OVERHEAD = 200

/** Answers between the stream, which cannot wait, and their one reader. */
export class Mailbox {
  private readonly bodies: AnswerBody[] = []
  private waiting = 0
  private lost = 0
  private over = false
  private error: WeftError | undefined
  private wake: (() => void) | undefined

  put(body: AnswerBody): void {
    if (this.over) return
    const size = sizeOf(body)
    if (body.kind === 'tap' && this.waiting + size > MOST_WAITING) {
      this.lost += body.frames.length
      return
    }
    this.waiting += size
    this.bodies.push(body.kind === 'tap' ? { ...body, lost: body.lost + this.lost } : body)
    this.wake?.()
  }

  /** No more comes; what has come is still read, and then `error` thrown. */
  end(error?: WeftError): void {
    if (this.over) return
    this.over = true
    this.error = error
    this.wake?.()
  }

  /** The next; `undefined` after the end. @throws what `late` makes when none comes for `waitMs` */
  async take(waitMs: number | undefined, late: () => WeftError): Promise<AnswerBody | undefined> {
    if (this.bodies.length === 0 && !this.over && !(await this.sleep(waitMs))) throw late()
    const body = this.bodies.shift()
    if (body) {
      this.waiting -= sizeOf(body)
      return body
    }
    if (this.error) throw this.error
    return undefined
  }

  private sleep(waitMs: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (woken: boolean) => {
        clearTimeout(timer)
        this.wake = undefined
        resolve(woken)
      }
      const timer = waitMs === undefined ? undefined : setTimeout(() => done(false), waitMs)
      this.wake = () => done(true)
    })
  }
}

function sizeOf(body: AnswerBody): number {
  if (body.kind !== 'tap') return 0
  return body.frames.reduce((sum, { bytes }) => sum + bytes.length + RECORD_OVERHEAD, 0)
}

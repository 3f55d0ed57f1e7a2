import { describe, expect, it } from 'vitest'
import type { AnswerBody, Question, TapAnswer, TapQuestion } from '../../rpc/questions.js'
import type { Asking } from '../../rpc/records.js'
import { OpenQuestions } from './open-questions.js'

const question: Question = { kind: 'learned', vni: 0, mac: undefined, limit: 10 }
const body: AnswerBody = { kind: 'learned', macs: [], moves: [], left_out: 3 }
const tap = { kind: 'tap' } as TapQuestion

function bench() {
  const sent: Asking[] = []
  const questions = new OpenQuestions('host0', (asking) => sent.push(asking))
  const heard = (id: number, given: Partial<{ last: boolean; body: AnswerBody; code: string }>) =>
    questions.heard({
      id,
      last: given.last ?? false,
      failure:
        given.code === undefined ? undefined : { code: given.code, what: '', message: 'no', next: 'x' },
      body: given.body,
    })
  return { sent, questions, heard }
}

async function read(answers: AsyncIterable<AnswerBody>): Promise<AnswerBody[]> {
  const all = []
  for await (const one of answers) all.push(one)
  return all
}

describe('OpenQuestions', () => {
  it('gives the answers of each question to whom it was asked by', async () => {
    const { questions, heard, sent } = bench()
    const one = read(questions.ask(question, { timeoutMs: 1e6 }))
    const two = read(questions.ask(question, { timeoutMs: 1e6 }))
    heard(2, { body: { ...body, left_out: 2 } })
    heard(1, { body, last: true })
    heard(2, { last: true })
    expect([await one, await two]).toEqual([[body], [{ ...body, left_out: 2 }]])
    expect(sent.map(({ kind, id }) => [kind, id])).toEqual([
      ['ask', 1],
      ['ask', 2],
    ])
  })

  it('throws what the node says, after what it had answered', async () => {
    const { questions, heard } = bench()
    const answers = questions.ask(question, { timeoutMs: 1e6 })
    const first = answers.next()
    heard(1, { body })
    heard(1, { code: 'W-2120', last: true })
    expect((await first).value).toEqual(body)
    await expect(answers.next()).rejects.toMatchObject({ code: 'W-2120', message: 'host0: no', next: 'x' })
  })

  it('throws W-3015 when the stream ends, W-3020 when no answer comes', async () => {
    const { questions } = bench()
    const lost = read(questions.ask(question, { timeoutMs: 1e6 }))
    questions.close()
    await expect(lost).rejects.toMatchObject({ code: 'W-3015' })
    await expect(read(questions.ask(question, { timeoutMs: 1 }))).rejects.toMatchObject({ code: 'W-3020' })
  })

  it('tells the node to end when the reader stops, or its signal aborts', async () => {
    const { questions, heard, sent } = bench()
    const stop = new AbortController()
    const aborted = read(questions.ask(tap, { timeoutMs: 1e6, signal: stop.signal }))
    stop.abort()
    expect(await aborted).toEqual([])
    const left = questions.ask(tap, { timeoutMs: 1e6 })
    const first = left.next()
    heard(2, { body: { kind: 'tap', frames: [], lost: 0 } })
    await first
    await left.return()
    expect(sent.filter(({ kind }) => kind === 'ask_end').map(({ id }) => id)).toEqual([1, 2])
  })

  it('keeps no more frames than a bound for a reader that does not read, and counts the others as lost', async () => {
    const { questions, heard } = bench()
    const answers = questions.ask(tap, { timeoutMs: 1e6 })
    const first = answers.next()
    const frame = { bytes: new Uint8Array(1 << 20) } as never
    heard(1, { body: { kind: 'tap', frames: [], lost: 0 } })
    for (let i = 0; i < 10; i++) heard(1, { body: { kind: 'tap', frames: [frame], lost: 0 } })
    await first
    let frames = 0
    for (let i = 0; i < 7; i++) frames += ((await answers.next()).value as TapAnswer).frames.length
    heard(1, { body: { kind: 'tap', frames: [], lost: 5 }, last: true })
    expect([frames, (await answers.next()).value]).toEqual([7, { kind: 'tap', frames: [], lost: 8 }])
  })
})

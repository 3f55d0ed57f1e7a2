import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { WeftError } from '../../common/errors.js'
import type { Answer, InjectQuestion } from '../../rpc/questions.js'
import { type Answerer, type Answerers, Answering } from './answering.js'

const question: InjectQuestion = {
  kind: 'inject',
  interface: 'a',
  frame: new Uint8Array(),
  count: 1,
  gap_ms: 0,
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

function bench(inject: Answerer<InjectQuestion>) {
  const answers: Answer[] = []
  const sink = {
    congested: false,
    send: (report: object) => answers.push((report as { answer: Answer }).answer),
  }
  const answering = new Answering(pino({ level: 'silent' }))
  answering.use({ inject } as unknown as Answerers)
  const ask = async (id: number) => {
    answering.take({ kind: 'ask', id, question }, sink)
    await turn()
  }
  return { answers, answering, ask, sink }
}

describe('Answering', () => {
  it('sends what is answered, and then that it was all', async () => {
    const { answers, ask } = bench(async (_, reply) => reply({ kind: 'inject', sent: 1 }))
    await ask(7)
    expect(answers).toEqual([
      { id: 7, last: false, failure: undefined, body: { kind: 'inject', sent: 1 } },
      { id: 7, last: true, failure: undefined, body: undefined },
    ])
  })

  it('says why there is no answer', async () => {
    const { answers, ask } = bench(async () => {
      throw new WeftError('W-2104', 'no port a', { next: 'ip link' })
    })
    await ask(1)
    const failure = { code: 'W-2104', what: 'inject', message: 'no port a', next: 'ip link' }
    expect(answers).toEqual([{ id: 1, last: true, failure, body: undefined }])
  })

  it('answers W-2120 before there is anything to answer from', async () => {
    const { answers, answering, ask } = bench(async () => {})
    answering.use(undefined)
    await ask(1)
    expect(answers[0]!.failure!.code).toBe('W-2120')
  })

  it.each(['the asker wants no more', 'the stream is over'])('ends what it started when %s', async (when) => {
    let running = 0
    const { answers, answering, ask, sink } = bench(async (_, reply, signal) => {
      running++
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      running--
      reply({ kind: 'inject', sent: 1 })
    })
    await ask(1)
    expect(running).toBe(1)
    if (when === 'the stream is over') answering.endAll()
    else answering.take({ kind: 'ask_end', id: 1 }, sink)
    await turn()
    expect({ running, answers }).toEqual({ running: 0, answers: [] })
  })

  it('answers so many at a time and refuses more as W-3021', async () => {
    const { answers, answering, ask } = bench(
      (_, __, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    )
    for (let id = 1; id <= 65; id++) await ask(id)
    expect(answers.map(({ id, failure }) => [id, failure!.code])).toEqual([[65, 'W-3021']])
    answering.endAll()
  })
})

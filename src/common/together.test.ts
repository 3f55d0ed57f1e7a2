import { describe, expect, it } from 'vitest'
import { together } from './together.js'

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('together', () => {
  it('stops the others when one fails, waits for them, and throws the failure', async () => {
    const ended: string[] = []
    const follow = async (signal: AbortSignal) => {
      await untilAborted(signal)
      ended.push('follow')
    }
    const fail = async () => {
      throw new Error('lost')
    }
    await expect(together(new AbortController().signal, [follow, fail])).rejects.toThrow('lost')
    expect(ended).toEqual(['follow'])
  })

  it('ends without an error when its signal aborts', async () => {
    const stop = new AbortController()
    const running = together(stop.signal, [untilAborted, untilAborted])
    stop.abort()
    await expect(running).resolves.toBeUndefined()
  })

  it('lets the others run on when one ends by itself', async () => {
    const stop = new AbortController()
    const order: string[] = []
    const running = together(stop.signal, [
      async () => void order.push('short'),
      async (signal) => {
        await untilAborted(signal)
        order.push('long')
      },
    ])
    await Promise.resolve()
    stop.abort()
    await running
    expect(order).toEqual(['short', 'long'])
  })

  it('throws the first failure even when it is undefined', async () => {
    await expect(
      together(new AbortController().signal, [() => Promise.reject(undefined)]),
    ).rejects.toBeUndefined()
  })
})

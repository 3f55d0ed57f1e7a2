import { describe, expect, it } from 'vitest'
import { NewestInbox } from './inbox.js'

const forever = new AbortController().signal

describe('NewestInbox', () => {
  it('gives only the newest of several values, once', async () => {
    const inbox = new NewestInbox<string>()
    inbox.put('a')
    inbox.put('b')
    expect(await inbox.wait(0, forever)).toBe('changed')
    expect(inbox.value).toBe('b')
    expect(await inbox.wait(0, forever)).toBe('timeout')
    expect(inbox.value).toBe('b')
  })

  it('wakes a waiting reader for a value, a nudge and a stop', async () => {
    const inbox = new NewestInbox<string>()
    const stop = new AbortController()
    const forValue = inbox.wait(60_000, stop.signal)
    inbox.put('a')
    expect(await forValue).toBe('changed')
    const forNudge = inbox.wait(60_000, stop.signal)
    inbox.nudge()
    expect(await forNudge).toBe('changed')
    const forStop = inbox.wait(60_000, stop.signal)
    stop.abort()
    expect(await forStop).toBe('stopped')
  })

  it('stops even when something new is there', async () => {
    const inbox = new NewestInbox<string>()
    inbox.put('a')
    expect(await inbox.wait(0, AbortSignal.abort())).toBe('stopped')
  })
})

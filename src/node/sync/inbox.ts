import type { Inbox } from '../reconcile/reconciler.js'

/**
 * The newest value and nothing before it. A nudge wakes the reader without a new
 * value: something in the kernel changed.
 */
export class NewestInbox<S> implements Inbox<S> {
  private newest: S | undefined
  private fresh = false
  private wake: (() => void) | undefined

  get value(): S | undefined {
    return this.newest
  }

  put(value: S): void {
    this.newest = value
    this.nudge()
  }

  nudge(): void {
    this.fresh = true
    this.wake?.()
  }

  /** For one reader at a time. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<'changed' | 'timeout' | 'stopped'> {
    if (!this.fresh && !signal.aborted) await this.sleep(timeoutMs, signal)
    if (signal.aborted) return 'stopped'
    if (!this.fresh) return 'timeout'
    this.fresh = false
    return 'changed'
  }

  private sleep(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.wake = undefined
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      signal.addEventListener('abort', done, { once: true })
      this.wake = done
    })
  }
}

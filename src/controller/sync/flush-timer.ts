/** Between two flushes while changes keep coming. */
const BUSY_MS = 5

/**
 * When to flush: at once after the first change, in the same turn of the event
 * loop that read it from etcd; then, while changes keep coming, once a tick, so
 * that many of them share a message.
 */
export class FlushTimer {
  private timer: NodeJS.Timeout | undefined
  private immediate: NodeJS.Immediate | undefined
  private wanted = false

  constructor(private readonly flush: () => void) {}

  request(): void {
    this.wanted = true
    if (this.timer || this.immediate) return
    this.immediate = setImmediate(() => this.fire())
  }

  stop(): void {
    clearTimeout(this.timer)
    clearImmediate(this.immediate)
  }

  private fire(): void {
    this.timer = undefined
    this.immediate = undefined
    if (!this.wanted) return
    this.wanted = false
    this.flush()
    this.timer = setTimeout(() => this.fire(), BUSY_MS)
  }
}

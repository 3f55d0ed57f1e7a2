import koffi from 'koffi'

type PollHandle = ReturnType<typeof koffi.node.poll>

/**
 * Waits, one shot at a time, for a descriptor to become readable.
 *
 * koffi calls back from inside libuv, outside of any Node callback scope: an
 * exception would vanish there and a promise resolved there would hang until
 * something else happens. So the callback only stops the handle, and `ready`
 * runs in a turn of the loop of its own, where failures are loud.
 */
export class ReadablePoll implements Disposable {
  // A handle that nothing refers to is closed by the garbage collector.
  private static readonly live = new Set<ReadablePoll>()
  private handle: PollHandle | undefined

  /**
   * @param fd must stay open until this is disposed
   * @param ready gets 0, or a negative errno when the descriptor is in error
   */
  constructor(
    private readonly fd: number,
    private readonly ready: (status: number) => void,
    private readonly opts: { readonly keepsProcessAlive: boolean },
  ) {
    ReadablePoll.live.add(this)
  }

  /** Calls `ready` once, when there is something to read. */
  arm(): void {
    if (!ReadablePoll.live.has(this)) return
    if (this.handle) this.handle.start({ readable: true }, this.fired)
    else this.handle = koffi.node.poll(this.fd, { readable: true }, this.fired)
    if (!this.opts.keepsProcessAlive) this.handle.unref()
  }

  [Symbol.dispose](): void {
    ReadablePoll.live.delete(this)
    this.handle?.close()
    this.handle = undefined
  }

  // koffi.d.ts declares `(events)`; what comes is `(status, events)`.
  private readonly fired = ((status: number): void => {
    this.handle?.stop()
    setImmediate(() => {
      if (ReadablePoll.live.has(this)) this.ready(status)
    })
  }) as (...args: unknown[]) => void
}

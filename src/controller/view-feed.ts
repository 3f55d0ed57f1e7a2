import { WeftError } from '../common/errors.js'
import type { Logger } from '../common/logger.js'
import type { Snapshot } from './store/etcd-client.js'
import type { Keys } from './store/keys.js'
import type { ListWatchSink } from './store/list-watch.js'
import type { WatchedEvent } from './store/watch-stream.js'
import type { ClusterView, ViewChange } from './view/cluster-view.js'
import { Mirror } from './view/mirror.js'
import type { StoreEvent } from './view/records.js'

export interface FeedCounters {
  watch_restarts: number
  relists: number
  missed_events: number
}

/** Feeds the view from etcd, and remembers whether etcd answers. */
export class ViewFeed implements ListWatchSink {
  readonly counters: FeedCounters = { watch_restarts: 0, relists: 0, missed_events: 0 }
  /** Keys under the prefix that name nothing known: a newer version may have written them. */
  readonly unknownKeys = new Set<string>()
  private readonly mirror = new Mirror()
  private readonly waiting = new Set<{ revision: bigint; resolve: () => void }>()
  private loaded = false
  private error: WeftError | undefined = new WeftError('W-3002', 'etcd has not answered yet')

  constructor(
    private readonly options: {
      readonly keys: Keys
      readonly view: ClusterView
      readonly log: Logger
      readonly changed: (change: ViewChange) => void
      readonly availabilityChanged: () => void
      /** etcd is another store, or an older state: revisions seen so far mean nothing. */
      readonly regressed: () => void
    },
  ) {}

  /** Why etcd cannot be asked; `undefined`: it answers. */
  get unavailable(): WeftError | undefined {
    return this.error
  }

  /** Why there is nothing to serve yet; `undefined`: there is, if perhaps not the newest. */
  get unready(): WeftError | undefined {
    if (this.loaded) return undefined
    return new WeftError('W-3002', `the controller has not read etcd yet: ${this.error?.message ?? ''}`, {
      next: 'weft status',
    })
  }

  list(snapshot: Snapshot, { exact, regressed }: { exact: boolean; regressed: boolean }): void {
    const { entries, revision } = snapshot
    const before = new Set(this.unknownKeys)
    this.unknownKeys.clear()
    const listed = entries.flatMap((entry) => this.named(entry, before))
    const diff = this.mirror.diff(listed, revision)
    // Revisions of another store say nothing about sameness.
    const events = regressed ? [...diff.filter(({ value }) => value === undefined), ...listed] : diff
    if (this.loaded) this.counters.relists++
    if (exact && events.length > 0) {
      this.counters.missed_events += events.length
      this.options.log.error({ events: events.length, revision }, 'the watch had lost events')
    }
    if (regressed) this.options.regressed()
    this.loaded = true
    this.fold(events, revision)
  }

  events(events: readonly WatchedEvent[], revision: bigint): void {
    this.fold(
      events.flatMap((event) => this.named(event)),
      revision,
    )
  }

  availability(error: WeftError | undefined): void {
    const before = this.error
    this.error = error
    if (before?.message !== error?.message) this.options.availabilityChanged()
  }

  restarted(): void {
    this.counters.watch_restarts++
  }

  /** Resolves when the view holds `revision`, after `timeoutMs` without it, or when `signal` aborts. */
  async caughtUp(revision: bigint, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.options.view.revision >= revision || signal?.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        this.waiting.delete(waiter)
        resolve()
      }
      const waiter = { revision, resolve: done }
      const timer = setTimeout(done, timeoutMs)
      signal?.addEventListener('abort', done, { once: true })
      this.waiting.add(waiter)
    })
  }

  private fold(events: readonly StoreEvent[], revision: bigint): void {
    const { view, changed, log } = this.options
    this.mirror.apply(events)
    const before = view.quarantine
    const change = view.apply(events, revision)
    for (const [key, reason] of view.quarantine) {
      if (before.get(key) !== reason) log.error({ key, reason, code: 'W-3011' }, 'value in etcd quarantined')
    }
    changed(change)
    for (const { revision: wanted, resolve } of this.waiting) if (view.revision >= wanted) resolve()
  }

  private named(event: WatchedEvent, told: ReadonlySet<string> = this.unknownKeys): StoreEvent[] {
    const { key, value } = event
    const id = this.options.keys.parse(key)
    if (id) return [{ ...event, id }]
    if (value === undefined) this.unknownKeys.delete(key)
    else {
      if (!told.has(key)) this.options.log.warn({ key }, 'a key in etcd that this version does not know')
      this.unknownKeys.add(key)
    }
    return []
  }
}

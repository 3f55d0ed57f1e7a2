import { backoffMs, pause } from '../../common/backoff.js'
import type { WeftError } from '../../common/errors.js'
import type { Logger } from '../../common/logger.js'
import { type EtcdClient, type Snapshot, storeError } from './etcd-client.js'
import { type WatchedEvent, watch } from './watch-stream.js'

export interface ListWatchSink {
  /**
   * All there is. `exact`: read at the very revision that the events had reached,
   * so that any difference is an event that the watch did not tell. `regressed`:
   * this is another store, or an older state of it.
   */
  list(snapshot: Snapshot, how: { exact: boolean; regressed: boolean }): void
  /** Whole revisions, in order. */
  events(events: readonly WatchedEvent[], revision: bigint): void
  /** `undefined`: etcd answers. */
  availability(error: WeftError | undefined): void
  /** The watch was cut and goes on. */
  restarted(): void
}

export interface ListWatchOptions {
  readonly client: EtcdClient
  readonly prefix: string
  readonly log: Logger
  /** Pause between full lists: etcd 3.4 itself has lost deletes (etcd-io/etcd#18089). */
  readonly reconcileMs: number
}

/** Follows every key under the prefix until `signal` aborts; survives etcd's absence for any time. */
export async function listWatch(
  options: ListWatchOptions,
  sink: ListWatchSink,
  signal: AbortSignal,
): Promise<void> {
  await new ListWatch(options, sink).run(signal)
}

class ListWatch {
  /** Everything up to it is delivered; `undefined`: nothing is. */
  private reached: bigint | undefined
  private clusterId = ''
  private listDue: 'no' | 'exact' | 'newest' = 'newest'
  private failures = 0
  private turns = 0

  constructor(
    private readonly options: ListWatchOptions,
    private readonly sink: ListWatchSink,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.listDue !== 'no') await this.list(this.listDue)
        await this.follow(signal)
        // An endpoint that is behind: give it a moment, the next one is asked meanwhile.
        if (this.listDue === 'newest') await pause(100, signal)
      } catch (err) {
        if (signal.aborted) return
        this.failures++
        this.failed(storeError(err, this.options.client.endpoints))
        await pause(backoffMs(this.failures, { firstMs: 100, maxMs: 2_000 }), signal)
      }
    }
  }

  private async list(due: 'exact' | 'newest'): Promise<void> {
    const { client, prefix } = this.options
    // Exact is not tried twice: the revision may be compacted by now.
    this.listDue = 'newest'
    const pinned =
      due === 'exact' ? await client.list([prefix], this.reached).catch(() => undefined) : undefined
    const exact = pinned !== undefined
    const snapshot = pinned ?? (await client.list([prefix]))
    const regressed =
      this.reached !== undefined &&
      (snapshot.revision < this.reached || snapshot.cluster_id !== this.clusterId)
    if (regressed) {
      const { revision } = snapshot
      this.options.log.error({ revision, before: this.reached }, 'etcd is older than before or another')
    }
    this.reached = snapshot.revision
    this.clusterId = snapshot.cluster_id
    this.listDue = 'no'
    this.sink.list(snapshot, { exact, regressed })
    this.answers()
  }

  /** Watches until cut, compacted, or time for the next list. */
  private async follow(signal: AbortSignal): Promise<void> {
    const { client, prefix, reconcileMs } = this.options
    const endpoint = client.endpoints[this.turns++ % client.endpoints.length]!
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), reconcileMs)
    try {
      const end = await watch(
        endpoint,
        prefix,
        this.reached! + 1n,
        {
          created: (revision, clusterId) => this.created(revision, clusterId, stop),
          events: (events) => this.events(events),
        },
        AbortSignal.any([signal, stop.signal]),
      )
      if (end === 'compacted') this.listDue = 'newest'
      else if (this.listDue === 'no') this.listDue = 'exact'
    } finally {
      clearTimeout(timer)
    }
  }

  // A wiped or restored store would wait silently for a revision it has yet to reach.
  private created(revision: bigint, clusterId: string, stop: AbortController): void {
    if (revision < this.reached! || clusterId !== this.clusterId) {
      this.listDue = 'newest'
      stop.abort()
      return
    }
    this.answers()
  }

  private events(events: readonly WatchedEvent[]): void {
    const revision = events.at(-1)!.mod_revision
    this.reached = revision
    this.sink.events(events, revision)
  }

  private answers(): void {
    this.failures = 0
    this.sink.availability(undefined)
  }

  private failed(error: WeftError): void {
    this.sink.availability(error)
    if (this.reached !== undefined) this.sink.restarted()
    // The first of a row; the rest would say the same every two seconds.
    if (this.failures === 1) this.options.log.warn({ err: error }, 'etcd does not answer')
  }
}

import { WeftError } from '../common/errors.js'
import type { Logger } from '../common/logger.js'
import { together } from '../common/together.js'
import type { DesiredTopology } from '../model/desired-state.js'
import { parseMac } from '../model/mac.js'
import type { AnswerTo, Question } from '../rpc/questions.js'
import {
  type ApplyOptions,
  type ApplyResult,
  type Control,
  type ControlCounters,
  claimRefusals,
  type MacEntry,
  type MacRecord,
  type NodeStatus,
  type StoredTopology,
  type WaitResult,
} from './control.js'
import { type ClaimCounters, ClaimsWriter } from './store/claims-writer.js'
import { EtcdClient } from './store/etcd-client.js'
import { Keys } from './store/keys.js'
import { listWatch } from './store/list-watch.js'
import { TopologyStore } from './store/topology-store.js'
import { serveNodes } from './sync/grpc-server.js'
import { NodeHub } from './sync/node-hub.js'
import type { AskOptions } from './sync/open-questions.js'
import { waitProgrammed } from './sync/progress.js'
import { ClusterView, type ViewChange } from './view/cluster-view.js'
import { listMacs } from './view/mac-list.js'
import { ViewFeed } from './view-feed.js'

/** What of the settings the control plane needs. */
export interface ControlConfig {
  /** Endpoints, as `http://127.0.0.1:2379`. */
  readonly etcd: readonly string[]
  /** Under which all keys lie; ends with `/`. */
  readonly etcd_prefix: string
  readonly grpc_listen: readonly string[]
  readonly insecure: boolean
  /** Pause between full reads of etcd, milliseconds; five minutes unless given. */
  readonly reconcile_ms?: number
}

export interface StartedController {
  readonly control: Control
  /** Where nodes connect, with the port that port 0 became. */
  readonly grpc_addresses: readonly string[]
  /** Settles when everything has ended: after `signal` aborted, or with what failed. */
  readonly done: Promise<void>
}

const RECONCILE_MS = 300_000
/** A claim's writer goes on without its own echo after this: it then decides again. */
const ECHO_MS = 1_000

/**
 * Starts the control plane: follows etcd, serves nodes, takes topologies. etcd may
 * be away, now or later: nodes are served what is known, and it is tried for ever.
 *
 * @throws WeftError when an address cannot be listened on (serveNodes).
 */
export async function startController(
  config: ControlConfig,
  log: Logger,
  signal: AbortSignal,
): Promise<StartedController> {
  const controller = new Controller(config, log)
  let served: Awaited<ReturnType<typeof serveNodes>>
  try {
    served = await serveNodes(config.grpc_listen, config.insecure, (call) => controller.hub.accept(call))
  } catch (err) {
    controller.stop()
    throw err
  }
  log.info({ grpc: served.addresses, etcd: config.etcd }, 'controller listens for nodes')
  const done = controller.run(signal).finally(() => {
    served.stop()
    controller.stop()
  })
  return { control: controller, grpc_addresses: served.addresses, done }
}

class Controller implements Control {
  readonly hub: NodeHub
  private readonly view = new ClusterView()
  private readonly listeners = new Set<() => void>()
  private readonly claimCounters: ClaimCounters = {
    refused: Object.fromEntries(claimRefusals.map((reason) => [reason, 0])) as ClaimCounters['refused'],
    taken: 0,
    moves: 0,
  }
  private readonly keys: Keys
  private readonly client: EtcdClient
  private readonly feed: ViewFeed
  private readonly topologyStore: TopologyStore
  private readonly claims: ClaimsWriter

  constructor(
    private readonly config: ControlConfig,
    private readonly log: Logger,
  ) {
    this.keys = new Keys(config.etcd_prefix)
    this.client = new EtcdClient(config.etcd)
    this.feed = new ViewFeed({
      keys: this.keys,
      view: this.view,
      log,
      changed: (change) => this.viewChanged(change),
      availabilityChanged: () => this.notify(),
      regressed: () => this.hub.forgetProgress(),
    })
    this.topologyStore = new TopologyStore(this.client, this.keys)
    this.claims = new ClaimsWriter({
      client: this.client,
      keys: this.keys,
      view: this.view,
      caughtUp: (revision, signal) => this.feed.caughtUp(revision, ECHO_MS, signal),
      counters: this.claimCounters,
      log,
    })
    this.hub = new NodeHub({
      view: this.view,
      unready: () => this.feed.unready,
      claims: (node, claims) => this.claims.take(node, claims),
      changed: () => this.notify(),
      log,
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    const reconcileMs = this.config.reconcile_ms ?? RECONCILE_MS
    const { client, log } = this
    const options = { client, prefix: this.config.etcd_prefix, log, reconcileMs }
    await together(signal, [(stop) => listWatch(options, this.feed, stop), (stop) => this.claims.run(stop)])
  }

  stop(): void {
    this.hub.stop()
    this.client[Symbol.dispose]()
  }

  get store(): Control['store'] {
    const error = this.feed.unavailable
    return {
      available: error === undefined,
      ...(error ? { error: error.message } : {}),
      endpoints: this.config.etcd,
    }
  }

  get revision(): bigint {
    return this.view.revision
  }

  get counters(): ControlCounters {
    return {
      claims_refused: { ...this.claimCounters.refused },
      claims_taken: this.claimCounters.taken,
      mac_moves: this.claimCounters.moves,
      ...this.feed.counters,
      quarantined: this.quarantine.size,
      ...this.hub.counters,
    }
  }

  get quarantine(): ReadonlyMap<string, string> {
    return this.view.quarantine
  }

  get unknownKeys(): ReadonlySet<string> {
    return this.feed.unknownKeys
  }

  topologies(): readonly StoredTopology[] {
    return [...this.view.topologies.values()]
      .map(({ name, revision, head, desired, source }) => ({
        name,
        revision,
        applied_at: head.applied_at,
        desired,
        source,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async apply(desired: DesiredTopology, source: string, opts: ApplyOptions = {}): Promise<ApplyResult> {
    return this.seen(await this.topologyStore.apply(desired, source, opts), opts)
  }

  async remove(name: string, opts: ApplyOptions = {}): Promise<ApplyResult> {
    return this.seen(await this.topologyStore.remove(name, opts), opts)
  }

  nodes(): readonly NodeStatus[] {
    return this.hub.statuses()
  }

  macs(): Iterable<MacEntry> {
    return listMacs(this.view, {
      nowS: Math.floor(Date.now() / 1000),
      frozen: (vni, mac) => this.claims.frozen(vni, mac),
    })
  }

  journals(mac: string): readonly MacRecord[] {
    const value = parseMac(mac)
    return value === undefined ? [] : this.view.journals.of(value, Date.now())
  }

  async waitProgrammed(revision: bigint, nodes: readonly string[], signal: AbortSignal): Promise<WaitResult> {
    return waitProgrammed(
      revision,
      nodes,
      (node) => this.hub.progress(node),
      (listener) => this.onChange(listener),
      signal,
    )
  }

  ask<Q extends Question>(node: string, question: Q, opts: AskOptions): AsyncIterable<AnswerTo<Q>> {
    return this.hub.ask(node, question, opts)
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }

  // Whoever reads after a write sees it, unless the watch is cut just now.
  private async seen(result: ApplyResult, { dryRun = false }: ApplyOptions): Promise<ApplyResult> {
    // Nothing was written: the revision may be one of etcd that no key of ours has.
    if (!dryRun && !result.unchanged) await this.feed.caughtUp(result.revision, ECHO_MS)
    return result
  }

  private viewChanged(change: ViewChange): void {
    this.hub.changed(change)
    if (change.topologies) this.claims.sweep()
    this.notify()
  }

  private notify(): void {
    for (const listener of this.listeners) {
      try {
        listener()
      } catch (err) {
        this.log.error({ err: WeftError.from(err) }, 'a listener failed')
      }
    }
  }
}

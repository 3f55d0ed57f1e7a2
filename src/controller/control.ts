import type { DesiredTopology, NodeSpec } from '../model/desired-state.js'
import type { Ip } from '../model/ip.js'
import type { AnswerTo, Question } from '../rpc/questions.js'
import type { Failure, Report } from '../rpc/records.js'

export type { Failure, Report } from '../rpc/records.js'

/** A topology as etcd holds it. */
export interface StoredTopology {
  readonly name: string
  /** etcd revision of its last change: the ETag. */
  readonly revision: bigint
  /** RFC 3339, UTC. */
  readonly applied_at: string
  readonly desired: DesiredTopology
  /** The YAML as it was applied. */
  readonly source: string
}

export interface ApplyOptions {
  /** The revision the caller has seen; 0n: it must not exist yet. Absent: whatever is there is replaced. */
  readonly ifMatch?: bigint
  /** Check everything, write nothing. */
  readonly dryRun?: boolean
}

export interface ApplyResult {
  /** Of the topology after this; of a dry run, that it was checked against. */
  readonly revision: bigint
  /** From the call to etcd's answer, milliseconds; 0 when nothing was written. */
  readonly stored_ms: number
  /** The store held exactly this already. */
  readonly unchanged: boolean
}

/** A node of a topology, or one that asks for its part and is in none. */
export interface NodeStatus {
  readonly name: string
  /** Some topology names it. */
  readonly declared: boolean
  readonly spec?: NodeSpec
  readonly connected: boolean
  /** Everything up to it is on the stream; 0n before the first. */
  readonly sent_revision: bigint
  /** Everything up to it is in the node's kernel but for `failures`; kept while the node is away. */
  readonly applied_revision: bigint
  readonly failures: readonly Failure[]
  /** RFC 3339, UTC. */
  readonly last_heard_at?: string
  readonly version?: string
  /** Digest of the layouts the node was built with. */
  readonly abi?: string
  /** Changes with each start of the daemon. */
  readonly instance?: string
  readonly report?: Report
  /** When `report` came, RFC 3339, UTC. */
  readonly report_at?: string
}

/** Where a MAC is, as the nodes are told. */
export interface MacEntry {
  readonly network: string
  readonly vni: number
  /** Lower-case text. */
  readonly mac: string
  /** port: learned on a port; static: declared at a node; remote: declared at a VTEP Weft does not run. */
  readonly type: 'port' | 'static' | 'remote'
  readonly node?: string
  /** Of a learned MAC. */
  readonly interface?: string
  readonly vtep: Ip
  readonly learned: 'control' | 'file'
  /** How often it moved. */
  readonly seq: number
  /** Addresses declared with the MAC, or heard of it. */
  readonly ips: readonly string[]
  /** Seconds at this place; absent when it is declared. */
  readonly since_s?: number
  /** Of S static, M moved in the last minute, D seen in two places and frozen, E remote VTEP not ours. */
  readonly flags: string
}

/** What happened to a MAC, as the controllers decided it; times are milliseconds since 1970. */
export interface MacEvent {
  readonly at: number
  readonly event: 'learned' | 'moved' | 'refused' | 'frozen' | 'thawed'
  /** `node/interface` where it was; when refused, where it stays. */
  readonly from?: string | undefined
  /** `node/interface` that claimed it. */
  readonly to?: string | undefined
  readonly seq: number
  readonly announced?: true | undefined
  readonly reason?: ClaimRefusal | undefined
  /** Of refusals alike in a row. */
  readonly count?: number | undefined
  readonly last_at?: number | undefined
}

export interface MacRecord {
  readonly vni: number
  /** Oldest first. */
  readonly events: readonly MacEvent[]
  /** Unless somebody tries to move it before. */
  readonly frozen_until?: number
}

export interface WaitResult {
  /** Since the call, milliseconds; `undefined`: not on all streams. */
  readonly sent_ms?: number
  /** Since the call, milliseconds; `undefined`: not in all kernels. */
  readonly programmed_ms?: number
  /** Who acknowledged last. */
  readonly slowest?: string
  /** Who had not acknowledged when `signal` aborted. */
  readonly late: readonly string[]
}

export interface ControlCounters {
  /** Claims that were not taken, by reason. */
  readonly claims_refused: Readonly<Record<ClaimRefusal, number>>
  readonly claims_taken: number
  /** MACs that changed their place. */
  readonly mac_moves: number
  readonly watch_restarts: number
  /** Full lists after the first: compaction, or the regular reconcile. */
  readonly relists: number
  /** Changes that a full list found and the watch had not told. */
  readonly missed_events: number
  /** Values in etcd that cannot be read now; the last good ones are served. */
  readonly quarantined: number
  /** Segments sent whole because a node asked: a delta did not fit. */
  readonly snapshots_resent: number
  /** Streams ended because the node did not read for too long. */
  readonly streams_evicted: number
}

export const claimRefusals = [
  'undeclared_port',
  'learning_off',
  'not_station',
  'static',
  'elsewhere',
  'late',
  'frozen',
  'limit',
  'address',
  'store',
] as const
export type ClaimRefusal = (typeof claimRefusals)[number]

/** What the controller knows and can do: the HTTP API is written against this alone. */
export interface Control {
  readonly store: {
    readonly available: boolean
    readonly error?: string
    readonly endpoints: readonly string[]
  }
  /** Newest etcd revision in the view; 0n before the first list. */
  readonly revision: bigint
  readonly counters: ControlCounters
  /** Keys in etcd that cannot be read, with the reason. */
  readonly quarantine: ReadonlyMap<string, string>
  /** Keys in etcd that this version does not know, as a newer one writes; they are left alone. */
  readonly unknownKeys: ReadonlySet<string>

  /** By name. */
  topologies(): readonly StoredTopology[]

  /**
   * Makes `desired` the topology of its name, seen as a whole or not at all.
   *
   * @throws WeftError W-1104, W-1109 when it collides with another topology;
   *   W-3013 when `ifMatch` is not its revision; W-3003 when others kept changing it; W-3002 without etcd.
   */
  apply(desired: DesiredTopology, source: string, opts?: ApplyOptions): Promise<ApplyResult>

  /** @throws WeftError W-3007 when there is none; W-3013, W-3003, W-3002 as `apply`. */
  remove(name: string, opts?: ApplyOptions): Promise<ApplyResult>

  /** By name; also those that ask and are in no topology. */
  nodes(): readonly NodeStatus[]

  /** By VNI, then MAC. */
  macs(): Iterable<MacEntry>

  /** What is on record of a MAC, lower-case text, in each segment where something is. */
  journals(mac: string): readonly MacRecord[]

  /** Resolves when all `nodes` have `revision` in the kernel, or with who is late when `signal` aborts. */
  waitProgrammed(revision: bigint, nodes: readonly string[], signal: AbortSignal): Promise<WaitResult>

  /**
   * A node's answers, as they come. What the question started on the node ends
   * when the reader stops, `signal` aborts or the stream is lost.
   *
   * @throws WeftError W-3015 when the node is away or leaves, W-3020 when it is late,
   *   W-3021 when too much is asked of it, or what it says itself.
   */
  ask<Q extends Question>(
    node: string,
    question: Q,
    opts: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): AsyncIterable<AnswerTo<Q>>

  /** Called after the view, a node's state or the store's availability changed. Returns its end. */
  onChange(listener: () => void): () => void
}

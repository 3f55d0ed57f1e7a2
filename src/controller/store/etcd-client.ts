import { Etcd3, type IOptions, type IRangeResponse, type ITxnResponse } from 'etcd3'
import { WeftError } from '../../common/errors.js'
import { rangeEnd } from './keys.js'

export interface KeyValue {
  readonly key: string
  readonly value: Buffer
  readonly mod_revision: bigint
}

/** All keys of one or more ranges at one revision. */
export interface Snapshot {
  readonly revision: bigint
  readonly cluster_id: string
  readonly entries: readonly KeyValue[]
}

/** Holds when `key` was last written at `mod_revision`; 0n: when it does not exist. */
export interface Compare {
  readonly key: string
  readonly mod_revision: bigint
}

export type WriteOp =
  | { readonly put: string; readonly value: Uint8Array | string }
  | { readonly delete: string }
  | { readonly delete_prefix: string }

export interface TxnResult {
  /** False: a comparison did not hold, nothing was written. */
  readonly done: boolean
  /**
   * Of the write. When it was not done, of the newest write to a compared key that
   * exists; 0n when none does. Not etcd's own revision, which keys of others move:
   * a watch of our prefix reaches this one.
   */
  readonly revision: bigint
}

/** What etcd takes in one transaction by default, less room for the compares' own keys. */
export const MAX_TXN_OPS = 128
export const MAX_TXN_BYTES = 1_000_000

const CALL_MS = 5_000
// A list of a large store takes longer than any single write.
const LIST_MS = 30_000

export const etcdChannelOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_receive_message_length': -1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  // Connections of our own with short pauses: etcd back after an hour is used at once.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
} as const

// The package repeats calls by itself and shuts a host out for five seconds after
// three failures. A compare-and-swap must not be repeated behind our back, and
// our callers have their own backoff.
type FaultHandling = NonNullable<IOptions['faultHandling']>
const once = { execute: async (call: (context: object) => unknown) => call({}) } as unknown as NonNullable<
  FaultHandling['global']
>

/** Reads and compare-and-swap transactions; every failure is a WeftError W-3002. */
export class EtcdClient implements Disposable {
  private readonly client: Etcd3

  constructor(readonly endpoints: readonly string[]) {
    this.client = new Etcd3({
      hosts: [...endpoints],
      grpcOptions: etcdChannelOptions,
      faultHandling: { host: () => once, global: once },
    })
  }

  /** Every key under `prefixes`, all read at one revision: `at`, or the newest. */
  async list(prefixes: readonly string[], at?: bigint): Promise<Snapshot> {
    if (at !== undefined) return this.listAt(prefixes[0]!, at)
    const response = await this.call<ITxnResponse>(() =>
      this.client.kv.txn(
        {
          compare: [],
          success: prefixes.map((prefix) => ({ request_range: range(prefix) })) as never,
          failure: [],
        },
        { deadline: Date.now() + LIST_MS },
      ),
    )
    return {
      revision: BigInt(response.header.revision),
      cluster_id: response.header.cluster_id,
      entries: keysOf(response),
    }
  }

  /** Writes all of `ops` in one revision, if every comparison holds. */
  async write(compares: readonly Compare[], ops: readonly WriteOp[]): Promise<TxnResult> {
    const response = await this.call<ITxnResponse>(() =>
      this.client.kv.txn(
        {
          compare: compares.map(compareMessage) as never,
          success: ops.map(opMessage) as never,
          failure: compares.map(({ key }) => ({ request_range: { key: Buffer.from(key) } })) as never,
        },
        { deadline: Date.now() + CALL_MS },
      ),
    )
    if (response.succeeded) return { done: true, revision: BigInt(response.header.revision) }
    let revision = 0n
    for (const { mod_revision } of keysOf(response)) if (mod_revision > revision) revision = mod_revision
    return { done: false, revision }
  }

  [Symbol.dispose](): void {
    this.client.close()
  }

  private async listAt(prefix: string, at: bigint): Promise<Snapshot> {
    const response = await this.call<IRangeResponse>(() =>
      this.client.kv.range({ ...range(prefix), revision: `${at}` }, { deadline: Date.now() + LIST_MS }),
    )
    return { revision: at, cluster_id: response.header.cluster_id, entries: response.kvs.map(keyValue) }
  }

  private async call<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (err) {
      throw storeError(err, this.endpoints)
    }
  }
}

/** Whatever etcd or the way to it said, as W-3002 with the endpoints. */
export function storeError(err: unknown, endpoints: readonly string[]): WeftError {
  if (err instanceof WeftError) return err
  const { details, message } = err as { details?: string; message?: string }
  return new WeftError('W-3002', `etcd ${endpoints.join(', ')}: ${details || message || String(err)}`, {
    cause: err,
    next: `etcdctl --endpoints ${endpoints.join(',')} endpoint health`,
  })
}

function range(prefix: string): { key: Buffer; range_end: Buffer } {
  return { key: Buffer.from(prefix), range_end: rangeEnd(prefix) }
}

function keysOf({ responses }: ITxnResponse): KeyValue[] {
  return responses.flatMap(
    (part) => (part as { response_range?: IRangeResponse }).response_range?.kvs.map(keyValue) ?? [],
  )
}

function keyValue(kv: { key: Buffer; value: Buffer; mod_revision: string }): KeyValue {
  return { key: kv.key.toString(), value: kv.value, mod_revision: BigInt(kv.mod_revision) }
}

function compareMessage({ key, mod_revision }: Compare): object {
  return { key: Buffer.from(key), target: 'Mod', result: 'Equal', mod_revision: `${mod_revision}` }
}

function opMessage(op: WriteOp): object {
  if ('put' in op) return { request_put: { key: Buffer.from(op.put), value: Buffer.from(op.value) } }
  if ('delete' in op) return { request_delete_range: { key: Buffer.from(op.delete) } }
  return { request_delete_range: range(op.delete_prefix) }
}

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { etcdChannelOptions, type KeyValue } from './etcd-client.js'
import { rangeEnd } from './keys.js'

interface WatchRequest {
  create_request: { key: Buffer; range_end: Buffer; start_revision: string; fragment: boolean }
}

interface WatchResponse {
  header: { revision: string; cluster_id: string }
  created: boolean
  canceled: boolean
  compact_revision: string
  cancel_reason: string
  fragment: boolean
  events: { type: 'Put' | 'Delete'; kv: { key: Buffer; value: Buffer; mod_revision: string } }[]
}

// 64-bit ids do not fit a number, so they stay text.
const etcdProto = join(dirname(createRequire(import.meta.url).resolve('etcd3')), '../proto/rpc.proto')
const { etcdserverpb } = loadPackageDefinition(
  loadSync(etcdProto, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true }),
) as unknown as { etcdserverpb: { Watch: ServiceClientConstructor } }

export interface WatchedEvent extends Omit<KeyValue, 'value'> {
  /** `undefined`: deleted. */
  readonly value: Buffer | undefined
}

export interface WatchHandler {
  /** etcd took the watch; it stands at `revision`, which says nothing about what was sent. */
  created(revision: bigint, clusterId: string): void
  /** All events of one or more whole revisions. */
  events(events: readonly WatchedEvent[]): void
}

/** How a watch ended, unless it failed. */
export type WatchEnd = 'compacted' | 'stopped'

/**
 * Follows `prefix` from revision `from` on etcd's own Watch RPC until `signal`
 * aborts or etcd says that `from` is compacted away. Where to go on after a cut
 * is the mod_revision of the last event, never the header's revision: that is
 * the store's, and runs ahead of a watcher that is catching up.
 *
 * @throws ServiceError, or Error with etcd's reason when it cancels the watch.
 */
export async function watch(
  endpoint: string,
  prefix: string,
  from: bigint,
  handler: WatchHandler,
  signal: AbortSignal,
): Promise<WatchEnd> {
  if (signal.aborted) return 'stopped'
  const secure = endpoint.startsWith('https://')
  const client = new etcdserverpb.Watch(
    endpoint.replace(/^https?:\/\//, ''),
    secure ? credentials.createSsl() : credentials.createInsecure(),
    { ...etcdChannelOptions, 'grpc-node.flow_control_window': 4 << 20 },
  )
  const call = client['Watch']!() as ClientDuplexStream<WatchRequest, WatchResponse>
  const stop = () => call.cancel()
  signal.addEventListener('abort', stop, { once: true })
  try {
    call.write({
      create_request: {
        key: Buffer.from(prefix),
        range_end: rangeEnd(prefix),
        start_revision: `${from}`,
        fragment: true,
      },
    })
    // A revision may come in parts; one that is cut in the middle comes again, whole.
    let parts: WatchedEvent[] = []
    for await (const response of call as AsyncIterable<WatchResponse>) {
      if (isCompacted(response)) return 'compacted'
      if (response.created) handler.created(BigInt(response.header.revision), response.header.cluster_id)
      parts.push(...response.events.map(watchedEvent))
      if (response.fragment || parts.length === 0) continue
      handler.events(parts)
      parts = []
    }
    if (signal.aborted) return 'stopped'
    throw new Error('etcd ended the watch')
  } catch (err) {
    if (signal.aborted) return 'stopped'
    throw err
  } finally {
    signal.removeEventListener('abort', stop)
    call.on('error', () => undefined) // our own cancel
    call.cancel()
    client.close()
  }
}

function isCompacted(response: WatchResponse): boolean {
  if (!response.canceled) return false
  if (BigInt(response.compact_revision) > 0n) return true
  throw new Error(`etcd cancelled the watch: ${response.cancel_reason || 'no reason given'}`)
}

function watchedEvent({ type, kv }: WatchResponse['events'][number]): WatchedEvent {
  return {
    key: kv.key.toString(),
    value: type === 'Put' ? kv.value : undefined,
    mod_revision: BigInt(kv.mod_revision),
  }
}

import {
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  makeClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js'
import { WeftError } from '../common/errors.js'
import { type ControllerChange, type Hello, type NodeReport, PROTOCOL_VERSION } from './records.js'
import { fromStatus } from './status.js'
import { decodeChange, encodeReport, MAX_MESSAGE, syncService } from './wire.js'

const SyncClient = makeClientConstructor(syncService, 'NodeSyncService')

const options: ClientOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': MAX_MESSAGE,
  // With the default 64 KiB a snapshot takes one round trip for each 64 KiB.
  'grpc-node.flow_control_window': 4 << 20,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  // A channel of its own: its connection's backoff is not shared, ours is the only one.
  'grpc.use_local_subchannel_pool': 1,
}

/** A node's stream to a controller. */
export interface SyncStream {
  /**
   * The controller's changes as they come; read no faster than they are taken.
   * Ends when the signal aborts; otherwise always by throwing WeftError:
   * W-3009 when the controller is away or goes, W-3010 when it cannot be
   * understood, or what it answered: W-3004 undeclared, W-3005 when it speaks another
   * protocol version, W-3006 when the name is connected already, ….
   * To be iterated once.
   */
  readonly changes: AsyncIterable<ControllerChange>
  /** Queues a report. After the stream's end it is dropped: the next one starts over anyway. */
  send(report: NodeReport): void
  /** The controller does not keep up: leave out what the next report replaces. */
  readonly congested: boolean
}

/**
 * Opens the one stream of a node and says hello. Nothing throws here; failures
 * come from `changes`. Reconnecting, with backoff, is the caller's.
 *
 * @param target - `host:port` or `unix:/path`
 */
export function openSync(target: string, hello: Hello, signal: AbortSignal): SyncStream {
  const client = new SyncClient(target, credentials.createInsecure(), options)
  const call = client['Sync']!() as ClientDuplexStream<Buffer, Buffer>
  const stop = () => call.cancel()
  signal.addEventListener('abort', stop, { once: true })
  const closed = () => {
    signal.removeEventListener('abort', stop)
    client.close()
  }
  call.once('close', closed)
  call.on('error', closed) // also keeps an error before the first read from being thrown
  call.write(encodeReport({ kind: 'hello', hello, protocol: PROTOCOL_VERSION }))
  if (signal.aborted) stop()

  return {
    changes: readChanges(call, target, signal),
    send: (report) => {
      if (!call.destroyed && call.writable) call.write(encodeReport(report))
    },
    get congested() {
      return call.writableNeedDrain
    },
  }
}

async function* readChanges(
  call: ClientDuplexStream<Buffer, Buffer>,
  target: string,
  signal: AbortSignal,
): AsyncGenerator<ControllerChange, void, void> {
  try {
    for await (const bytes of call) yield decodeChange(bytes as Buffer)
  } catch (err) {
    if (signal.aborted) return
    throw err instanceof WeftError ? err : fromStatus(err as ServiceError, target)
  } finally {
    call.cancel()
  }
  if (signal.aborted) return
  throw new WeftError('W-3009', `controller ${target} ended the stream`, { details: { target } })
}

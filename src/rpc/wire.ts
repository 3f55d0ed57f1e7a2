import { fileURLToPath } from 'node:url'
import { logVerbosity, type ServiceDefinition, setLogVerbosity } from '@grpc/grpc-js'
import { loadSync, type MethodDefinition } from '@grpc/proto-loader'
import { WeftError } from '../common/errors.js'
import { changeFromMessage, changeToMessage } from './convert-change.js'
import { reportFromMessage, reportToMessage } from './convert-report.js'
import type { SyncRequestMessage, SyncResponseMessage } from './messages.js'
import type { ControllerChange, NodeReport } from './records.js'

// It writes to stderr what it also throws; our own line there is the one users read.
setLogVerbosity(logVerbosity.NONE)

const proto = fileURLToPath(new URL('../../proto/weft/v1/node_sync.proto', import.meta.url))

const sync = loadSync(proto, {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
})['weft.v1.NodeSyncService'] as unknown as {
  Sync: MethodDefinition<SyncRequestMessage, SyncResponseMessage>
}

const same = (bytes: Buffer) => bytes

/**
 * The service with bytes on both sides: a change is encoded once and the same
 * buffer goes to every stream, and what cannot be decoded is an error of the
 * stream's user, not of gRPC.
 */
export const syncService = {
  Sync: {
    path: sync.Sync.path,
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
} satisfies ServiceDefinition

/** Largest message that either side takes, bytes. */
export const MAX_MESSAGE = 4 << 20

export function encodeReport(report: NodeReport): Buffer {
  return sync.Sync.requestSerialize(reportToMessage(report) as never)
}

export function encodeChange(change: ControllerChange): Buffer {
  return sync.Sync.responseSerialize(changeToMessage(change) as never)
}

/** @throws WeftError W-3010 */
export function decodeReport(bytes: Buffer): NodeReport {
  return decoded('request', () => reportFromMessage(sync.Sync.requestDeserialize(bytes) as never))
}

/** @throws WeftError W-3010 */
export function decodeChange(bytes: Buffer): ControllerChange {
  return decoded('response', () => changeFromMessage(sync.Sync.responseDeserialize(bytes) as never))
}

function decoded<T>(what: string, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    if (cause instanceof WeftError) throw cause
    throw new WeftError('W-3010', `a ${what} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

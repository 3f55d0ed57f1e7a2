import { chmodSync, mkdirSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { WeftError } from '../../common/errors.js'
import {
  formatListenAddress,
  isLocal,
  type ListenAddress,
  parseListenAddress,
} from '../../common/listen-address.js'
import { MAX_MESSAGE, syncService } from '../../rpc/wire.js'
import type { SyncCall } from './node-stream.js'

/**
 * Listens for nodes on every address and serves until `stop`.
 *
 * @returns the addresses, with the port that port 0 became
 * @throws WeftError W-3001 for an address beyond this host unless `insecure`,
 *   W-3014 when another process listens there, W-4002 when it is no address.
 */
export async function serveNodes(
  listen: readonly string[],
  insecure: boolean,
  accept: (call: SyncCall) => void,
): Promise<{ addresses: string[]; stop: () => void }> {
  const parsed = listen.map(parseListenAddress)
  for (const address of parsed) if (!insecure) refuseRemote(address)
  const server = new Server({
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.max_receive_message_length': MAX_MESSAGE,
  })
  server.addService(syncService, { Sync: accept })
  try {
    const addresses: string[] = []
    for (const address of parsed) addresses.push(await bind(server, address))
    return { addresses, stop: () => server.forceShutdown() }
  } catch (err) {
    server.forceShutdown()
    throw err
  }
}

function refuseRemote(address: ListenAddress): void {
  if (isLocal(address)) return
  throw new WeftError(
    'W-3001',
    `grpc_listen ${formatListenAddress(address)}: beyond this host nodes would connect without encryption or proof of who they are`,
    { next: 'listen on 127.0.0.1 or unix:/path, or set insecure: true on a network you trust' },
  )
}

async function bind(server: Server, address: ListenAddress): Promise<string> {
  if (address.kind === 'unix') await clearSocket(address.path)
  const text = formatListenAddress(address)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(text, ServerCredentials.createInsecure(), (err, bound) => {
      if (!err) return resolve(bound)
      reject(
        new WeftError('W-3014', `grpc_listen ${text}: ${err.message}`, {
          cause: err,
          next:
            address.kind === 'tcp' ? `ss -ltnp 'sport = :${address.port}'` : `ss -lxp src ${address.path}`,
        }),
      )
    })
  })
  if (address.kind === 'tcp') return formatListenAddress({ ...address, port })
  chmodSync(address.path, 0o660)
  return text
}

/** Removes a socket that a killed controller left behind; one that answers stays. */
async function clearSocket(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  const code = await new Promise<string>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve('')
    })
    probe.once('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? ''))
  })
  if (code === 'ECONNREFUSED') unlinkSync(path)
}

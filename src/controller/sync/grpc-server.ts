import { Server, ServerCredentials } from '@grpc/grpc-js'
import { formatListenAddress, type ListenAddress, parseListenAddress } from '../../common/listen-address.js'
import { listenAt, refuseRemote } from '../../common/listening.js'
import { MAX_MESSAGE, syncService } from '../../rpc/wire.js'
import type { SyncCall } from './node-stream.js'

/**
 * Listens for nodes on every address and serves until `stop`.
 *
 * @returns the addresses, with the port that port 0 became
 * @throws WeftError W-3001 for an address beyond this host unless `insecure`,
 *   W-3014 when another process listens there, W-4002 when it cannot be listened on.
 */
export async function serveNodes(
  listen: readonly string[],
  insecure: boolean,
  accept: (call: SyncCall) => void,
): Promise<{ addresses: string[]; stop: () => void }> {
  const parsed = listen.map(parseListenAddress)
  for (const address of parsed) if (!insecure) refuseRemote('--grpc-listen', address)
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

async function bind(server: Server, address: ListenAddress): Promise<string> {
  const text = formatListenAddress(address)
  const port = await listenAt('--grpc-listen', address, async () => bindAsync(server, text))
  return address.kind === 'tcp' ? formatListenAddress({ ...address, port }) : text
}

async function bindAsync(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (err, port) => {
      if (err) reject(err)
      else resolve(port)
    })
  })
}

import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { WeftError } from '../common/errors.js'
import { type ControllerChange, PROTOCOL_VERSION } from './records.js'
import { toStatus } from './status.js'
import { openSync } from './sync-client.js'
import { decodeReport, encodeChange, syncService } from './wire.js'

const hello = { node: 'host0', abi: 'a', version: '1', instance: 'i', held: [] }
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown()
})

async function serve(handle: (call: ServerDuplexStream<Buffer, Buffer>) => void): Promise<string> {
  const server = new Server()
  servers.push(server)
  server.addService(syncService, { Sync: handle })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (err, bound) =>
      err ? reject(err) : resolve(bound),
    ),
  )
  return `127.0.0.1:${port}`
}

async function read(stream: AsyncIterable<ControllerChange>): Promise<ControllerChange[]> {
  const all: ControllerChange[] = []
  for await (const change of stream) all.push(change)
  return all
}

describe('openSync()', () => {
  it('says hello first and gives the changes in order, until it is told to stop', async () => {
    const target = await serve((call) => {
      call.once('data', (bytes: Buffer) => {
        const first = decodeReport(bytes)
        if (first.kind !== 'hello' || first.hello.node !== 'host0' || first.protocol !== PROTOCOL_VERSION)
          return call.destroy()
        for (const revision of [1n, 2n]) call.write(encodeChange({ kind: 'in_sync', revision }))
        return undefined
      })
    })
    const stop = new AbortController()
    const seen: bigint[] = []
    for await (const change of openSync(target, hello, stop.signal).changes) {
      if (change.kind === 'in_sync') seen.push(change.revision)
      if (seen.length === 2) stop.abort()
    }
    expect(seen).toEqual([1n, 2n])
  })

  it("throws the controller's own error, with its code and next step", async () => {
    const target = await serve((call) => {
      call.emit('error', toStatus(new WeftError('W-3004', 'node "höst"?', { next: 'weft get nodes – all' })))
    })
    await expect(read(openSync(target, hello, new AbortController().signal).changes)).rejects.toMatchObject({
      code: 'W-3004',
      message: 'node "höst"?',
      next: 'weft get nodes – all',
    })
  })

  it('throws W-3009 when nobody listens, or the controller ends the stream', async () => {
    const never = new AbortController().signal
    await expect(read(openSync('127.0.0.1:1', hello, never).changes)).rejects.toMatchObject({
      code: 'W-3009',
    })
    const target = await serve((call) => call.end())
    await expect(read(openSync(target, hello, never).changes)).rejects.toMatchObject({ code: 'W-3009' })
  })

  it('ends at once when the signal has aborted already', async () => {
    expect(await read(openSync('127.0.0.1:1', hello, AbortSignal.abort()).changes)).toEqual([])
  })

  it('throws W-3010 for bytes that are no message', async () => {
    const target = await serve((call) => void call.write(Buffer.from([0xff])))
    await expect(read(openSync(target, hello, new AbortController().signal).changes)).rejects.toMatchObject({
      code: 'W-3010',
    })
  })
})

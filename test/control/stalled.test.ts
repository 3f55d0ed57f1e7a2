import { once } from 'node:events'
import { type ClientDuplexStream, credentials, makeClientConstructor } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseMac } from '../../src/model/mac.js'
import type { SegmentTable } from '../../src/model/segment-table.js'
import { applySegmentUpdate } from '../../src/model/segment-update.js'
import { PROTOCOL_VERSION } from '../../src/rpc/records.js'
import { decodeChange, encodeReport, syncService } from '../../src/rpc/wire.js'
import { macText, network, portsOn, type RunningController, runController, topology, vtep } from './bench.js'
import { EtcdProcess } from './etcd-process.js'
import { NodeModel, until } from './node-model.js'

const MACS = 2_000
const CHANGES = 150
let etcd: EtcdProcess
let controller: RunningController

beforeAll(async () => {
  etcd = await EtcdProcess.start()
  controller = await runController(etcd.endpoint)
  await until(() => controller.control.revision > 0n)
})
afterAll(async () => {
  await controller.stop()
  await etcd.stop()
})

/** All MACs at host0 (even) or host1. */
function version(n: number): ReturnType<typeof topology> {
  const statics = Array.from({ length: MACS }, (_, i) => ({ mac: macText(i), node: `host${n % 2}` }))
  return topology('lab', 2, [network('red', 100, { ports: portsOn(2, 'tap0'), static: statics })])
}

describe('a node that stops reading', () => {
  it('is owed the newest state, not a queue: it reads on and is current', async () => {
    const { control, target } = controller
    await control.apply(version(0), '0')
    const host0 = new NodeModel('host0').connect(target)
    const Client = makeClientConstructor(syncService, 'NodeSyncService')
    const client = new Client(target, credentials.createInsecure())
    const stalled = client['Sync']!() as ClientDuplexStream<Buffer, Buffer>
    stalled.on('error', () => undefined)
    const hello = { node: 'host1', abi: '', version: '', instance: '1', held: [] }
    stalled.write(encodeReport({ kind: 'hello', hello, protocol: PROTOCOL_VERSION }))
    // grpc-js takes in everything until the first read, so read once.
    await once(stalled, 'data')
    stalled.pause()

    let last = 0n
    for (let n = 1; n <= CHANGES; n++) {
      const { revision } = await control.apply(version(n), `${n}`)
      last = revision
      await until(() => host0.revision >= revision) // the others do not wait for it
    }

    let table: SegmentTable | undefined
    let messages = 0
    const current = new Promise<void>((resolve) => {
      stalled.on('data', (bytes: Buffer) => {
        messages++
        const change = decodeChange(bytes)
        if (change.kind === 'segment') table = applySegmentUpdate(table, change.update) ?? table
        if (change.kind === 'in_sync' && change.revision >= last) resolve()
      })
    })
    stalled.resume()
    await current
    // 64 KiB of window and the 16 messages that a stream takes before it says no.
    expect(messages).toBeLessThan(CHANGES / 2)
    expect(table!.entries.get(parseMac(macText(7))!)!.vtep).toBe(vtep(CHANGES % 2))
    expect(table!.hash).toBe(host0.segments.get(100)!.hash)
    stalled.cancel()
    client.close()
    await host0.disconnect()
  })
})

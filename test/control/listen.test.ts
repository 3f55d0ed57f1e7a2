import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ClientDuplexStream,
  credentials,
  makeClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { version } from '../../src/common/version.js'
import { PROTOCOL_VERSION } from '../../src/rpc/records.js'
import { encodeReport, syncService } from '../../src/rpc/wire.js'
import { network, portsOn, type RunningController, runController, topology } from './bench.js'
import { EtcdProcess, freePort } from './etcd-process.js'
import { NodeModel, until } from './node-model.js'

let etcd: EtcdProcess
let directory: string
const running: RunningController[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'weft-control-listen-'))
  etcd = await EtcdProcess.start()
})
afterEach(async () => {
  for (const controller of running.splice(0)) await controller.stop()
})
afterAll(async () => {
  await etcd.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function listen(...addresses: string[]): Promise<RunningController> {
  const started = await runController(etcd.endpoint, { grpc_listen: addresses })
  running.push(started)
  await until(() => started.control.revision > 0n)
  return started
}

/** Sends bytes as the first request; how the stream ends. */
async function firstWord(target: string, bytes: Buffer): Promise<ServiceError> {
  const Client = makeClientConstructor(syncService, 'NodeSyncService')
  const client = new Client(target, credentials.createInsecure())
  const call = client['Sync']!() as ClientDuplexStream<Buffer, Buffer>
  call.resume()
  call.write(bytes)
  const [error] = await once(call, 'error').catch((err: ServiceError) => [err])
  client.close()
  return error as ServiceError
}

describe('the controller listens', () => {
  it('on a unix socket too, in the place of one that a killed process left', async () => {
    const path = join(directory, 'grpc.sock')
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(child.stdout, 'data')
    await expect(listen(`unix:${path}`)).rejects.toMatchObject({ code: 'W-3014' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(existsSync(path)).toBe(true)

    const { control, target } = await listen(`unix:${path}`, '127.0.0.1:0')
    expect(statSync(path).mode & 0o777).toBe(0o660)
    await control.apply(topology('lab', 1, [network('red', 100, { ports: portsOn(1, 'tap0') })]), 'a')
    const host0 = new NodeModel('host0').connect(target)
    await until(() => host0.segments.has(100))
    await host0.disconnect()
  })

  it('on no port that is taken, and beyond this host only when told to', async () => {
    const port = await freePort()
    await listen(`127.0.0.1:${port}`)
    await expect(listen(`127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'W-3014' })
    await expect(listen('0.0.0.0:0')).rejects.toMatchObject({ code: 'W-3001' })
    await expect(listen('[::]:0')).rejects.toMatchObject({ code: 'W-3001' })
    await expect(listen('nonsense')).rejects.toMatchObject({ code: 'W-4002' })
  })

  it('on a unix socket whose directory it makes, or says why it cannot', async () => {
    await listen(`unix:${join(directory, 'a/b/grpc.sock')}`)
    const file = join(directory, 'file')
    writeFileSync(file, '')
    await expect(listen(`unix:${file}/grpc.sock`)).rejects.toMatchObject({
      code: 'W-4002',
      message: `cannot listen on unix:${file}/grpc.sock: what should be its directory is a file`,
    })
    await expect(listen('unix:/proc/weft/a/grpc.sock')).rejects.toMatchObject({
      code: 'W-4002',
      message:
        'cannot listen on unix:/proc/weft/a/grpc.sock: the directory does not exist and cannot be made',
      next: 'set --grpc-listen',
    })
  })
})

describe('a stream', () => {
  it('whose first word is no hello, or no message at all, ends with INVALID_ARGUMENT', async () => {
    const { target } = await listen('127.0.0.1:0')
    const early = await firstWord(target, encodeReport({ kind: 'segment_request', vni: 1 }))
    expect(early).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'the first request is hello, not segment_request',
    })
    expect(early.metadata.get('weft-code')).toEqual(['W-3010'])
    const garbage = await firstWord(target, Buffer.from([0xff, 0xff, 0xff]))
    expect(garbage.code).toBe(status.INVALID_ARGUMENT)
  })

  it('of an undeclared node ends with NOT_FOUND, its code and the next step in metadata', async () => {
    const { target } = await listen('127.0.0.1:0')
    const hello = { node: 'nobody', abi: '', version: '', instance: '1', held: [] }
    const error = await firstWord(target, encodeReport({ kind: 'hello', hello, protocol: PROTOCOL_VERSION }))
    expect(error.code).toBe(status.NOT_FOUND)
    expect(error.details).toBe('no topology declares node "nobody"')
    expect(error.metadata.get('weft-code')).toEqual(['W-3004'])
    expect(String(error.metadata.get('weft-next')[0])).toContain('weft')
  })

  it.each([0, PROTOCOL_VERSION + 1])(
    'of protocol version %i is refused, both versions named',
    async (protocol) => {
      const { control, target } = await listen('127.0.0.1:0')
      await control.apply(topology('lab', 1, [network('red', 100, { ports: portsOn(1, 'tap0') })]), 'a')
      const hello = { node: 'host0', abi: '', version: '9.8.7', instance: '1', held: [] }
      const error = await firstWord(target, encodeReport({ kind: 'hello', hello, protocol }))
      expect(error.code).toBe(status.FAILED_PRECONDITION)
      expect(error.details).toBe(
        `node "host0" (weft-node 9.8.7) speaks protocol version ${protocol}, this controller (${version}) version ${PROTOCOL_VERSION}`,
      )
      expect(error.metadata.get('weft-code')).toEqual(['W-3005'])
      expect(decodeURI(String(error.metadata.get('weft-next')[0]))).toBe(
        'weft version; bring both to one release',
      )
      expect(control.nodes()).toMatchObject([{ name: 'host0', connected: false }])
    },
  )
})

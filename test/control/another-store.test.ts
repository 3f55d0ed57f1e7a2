import { afterEach, describe, expect, it } from 'vitest'
import { network, portsOn, type RunningController, runController, topology } from './bench.js'
import { EtcdProcess } from './etcd-process.js'
import { NodeModel, until } from './node-model.js'

let etcd: EtcdProcess
let running: RunningController
const nodes: NodeModel[] = []
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.disconnect()
  await running.stop()
  await etcd.stop()
})

const version = (n: number) =>
  topology('lab', 2, [network('red', 100, { ports: portsOn(2, 'tap0') })], `version ${n}`)

async function replaceStore(): Promise<void> {
  await etcd.kill()
  await etcd.wipe()
  await etcd.run()
  await until(() => running.control.topologies().length === 0)
}

describe('etcd that was wiped', () => {
  it('is noticed, and what nodes had acknowledged is forgotten, of those that are away too', async () => {
    etcd = await EtcdProcess.start()
    running = await runController(etcd.endpoint)
    const { control, target } = running
    for (let n = 0; n < 10; n++) await control.apply(version(n), `${n}`)
    const old = control.revision
    nodes.push(...['host0', 'host1'].map((name) => new NodeModel(name).connect(target)))
    const acknowledged = () => control.nodes().map(({ applied_revision }) => applied_revision >= old)
    await until(() => acknowledged().every(Boolean))
    await nodes[1]!.disconnect()
    await until(() => control.nodes().filter(({ connected }) => connected).length === 1)

    await replaceStore()
    const { revision } = await control.apply(version(1), 'anew')
    expect(revision).toBeLessThan(old)
    await until(() => control.topologies()[0]?.source === 'anew')
    await control.waitProgrammed(revision, ['host0'], AbortSignal.timeout(30_000))

    expect(control.nodes()).toMatchObject([
      { name: 'host0', connected: true },
      { name: 'host1', connected: false, sent_revision: 0n, applied_revision: 0n },
    ])
    const late = await control.waitProgrammed(revision, ['host1'], AbortSignal.abort())
    expect(late).toEqual({ late: ['host1'] })
  })

  it('takes the keys that no version knows with it', async () => {
    etcd = await EtcdProcess.start()
    running = await runController(etcd.endpoint)
    const { control } = running
    await control.apply(version(0), 'a')
    await etcd.use(async (client) => {
      await client.put('/weft/v1/gateway/a').value('{}')
    })
    await until(() => control.unknownKeys.size === 1)
    expect([...control.unknownKeys]).toEqual(['/weft/v1/gateway/a'])
    expect(control.quarantine.size).toBe(0)
    await replaceStore()
    expect(control.unknownKeys.size).toBe(0)
  })
})

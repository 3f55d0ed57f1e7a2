import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type Compare,
  EtcdClient,
  type TxnResult,
  type WriteOp,
} from '../../src/controller/store/etcd-client.js'
import { Keys } from '../../src/controller/store/keys.js'
import { listWatch } from '../../src/controller/store/list-watch.js'
import { TopologyStore } from '../../src/controller/store/topology-store.js'
import type { NetworkSpec } from '../../src/model/desired-state.js'
import { plainPort } from '../../src/model/segment.fixture.js'
import { macText, network, portsOn, type RunningController, runController, topology } from './bench.js'
import { CuttingProxy } from './cutting-proxy.js'
import { EtcdProcess } from './etcd-process.js'
import { NodeModel, until } from './node-model.js'

const keys = new Keys('/weft/v1/')
let etcd: EtcdProcess
const clients: EtcdClient[] = []
const running: RunningController[] = []
const nodes: NodeModel[] = []
const proxies: CuttingProxy[] = []

beforeAll(async () => {
  etcd = await EtcdProcess.start()
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.disconnect()
  for (const controller of running.splice(0)) await controller.stop()
  for (const proxy of proxies.splice(0)) await proxy.stop()
  for (const client of clients.splice(0)) client[Symbol.dispose]()
  await etcd.clear()
})
afterAll(() => etcd.stop())

function store(client = new EtcdClient([etcd.endpoint])): TopologyStore {
  clients.push(client)
  return new TopologyStore(client, keys)
}

async function controller(endpoint = etcd.endpoint, settings = {}): Promise<RunningController> {
  const started = await runController(endpoint, settings)
  running.push(started)
  await until(() => started.control.revision > 0n)
  return started
}

async function proxy(): Promise<CuttingProxy> {
  const started = await CuttingProxy.start(etcd.clientPort)
  proxies.push(started)
  return started
}

function node(name: string, target: string): NodeModel {
  const model = new NodeModel(name).connect(target)
  nodes.push(model)
  return model
}

/** As many networks, all of whose MACs are at host0 (even versions) or host1. */
function version(n: number, networks: number): ReturnType<typeof topology> {
  const all = Array.from({ length: networks }, (_, i): NetworkSpec => {
    const statics = [{ mac: macText(i), node: `host${n % 2}` }]
    return network(`net${i}`, 1000 + i, { ports: portsOn(2, `tap${i}`), static: statics })
  })
  return topology('lab', 2, all, `version ${n}`)
}

/** Dies as a killed process would, right before it publishes what it staged. */
class DyingClient extends EtcdClient {
  override async write(compares: readonly Compare[], ops: readonly WriteOp[]): Promise<TxnResult> {
    if (ops.some((op) => 'put' in op && op.put.startsWith(keys.heads()))) throw new Error('killed')
    return super.write(compares, ops)
  }
}

describe('an apply', () => {
  it.each([
    ['one transaction', 8],
    ['an epoch of more than 128 objects', 120],
  ])('in %s is seen whole or not at all', async (_, networks) => {
    const { control, target } = await controller()
    await control.apply(version(0, networks), '0')
    const host0 = node('host0', target)
    await until(() => host0.segments.size === networks)
    const mixed: string[] = []
    const end = control.onChange(() => {
      const places = new Set([...control.macs()].map((mac) => mac.vtep))
      const [lab] = control.topologies()
      if (places.size !== 1) mixed.push(`${lab?.desired.description}: ${[...places].join(' ')}`)
      if (lab?.desired.description !== `version ${lab?.source}`) mixed.push('source of another version')
    })
    for (let n = 1; n <= 6; n++) await control.apply(version(n, networks), `${n}`)
    await until(() => control.topologies()[0]!.source === '6')
    end()
    expect(mixed).toEqual([])
    await until(() => host0.vtepOf(1000, macText(0)) === '10.0.0.1')
    const epochs = await etcd.use((client) => client.getAll().prefix('/weft/v1/object/lab/').keys())
    expect(new Set(epochs.map((key) => key.split('/')[5])).size).toBe(1)
  })

  it('killed between staging and publishing changes nothing, and the next one clears it away', async () => {
    const { control } = await controller()
    const { revision } = await control.apply(version(0, 120), '0')
    await expect(store(new DyingClient([etcd.endpoint])).apply(version(1, 120), '1')).rejects.toThrow(
      'killed',
    )
    const staged = await etcd.use((client) => client.getAll().prefix('/weft/v1/object/lab/').keys())
    await until(() => control.revision > revision)
    expect(control.topologies()).toMatchObject([{ revision, source: '0' }])

    await control.apply(version(2, 120), '2')
    const left = await etcd.use((client) => client.getAll().prefix('/weft/v1/object/lab/').keys())
    expect(staged.length).toBeGreaterThan(left.length)
    expect(new Set(left.map((key) => key.split('/')[5])).size).toBe(1)
    expect(control.topologies()).toMatchObject([{ source: '2' }])
    expect(control.quarantine.size).toBe(0)
  })

  it('of what is there already writes nothing; a dry run neither', async () => {
    const one = store()
    const first = await one.apply(version(0, 3), 'a')
    expect(await one.apply(version(0, 3), 'a')).toEqual({
      revision: first.revision,
      stored_ms: 0,
      unchanged: true,
    })
    const dry = await one.apply(version(1, 3), 'b', { dryRun: true })
    expect(dry).toMatchObject({ revision: first.revision, unchanged: false })
    expect(await one.apply(version(0, 3), 'a')).toMatchObject({ unchanged: true })
  })

  it('of two appliers with the same ETag lets one win, and tells the other', async () => {
    const [one, other] = [store(), store()]
    let { revision } = await one.apply(version(0, 60), '0')
    for (let round = 1; round <= 5; round++) {
      const results = await Promise.allSettled([
        one.apply(version(2 * round, 60), `one ${round}`, { ifMatch: revision }),
        other.apply(version(2 * round + 1, 60), `other ${round}`, { ifMatch: revision }),
      ])
      const won = results.filter((result) => result.status === 'fulfilled')
      const lost = results.filter((result) => result.status === 'rejected')
      expect(won).toHaveLength(1)
      expect(lost).toMatchObject([{ reason: { code: 'W-3013' } }])
      revision = won[0]!.value.revision
    }
  })

  it('of two topologies with one VNI at once lets one win, and tells the other', async () => {
    const results = await Promise.allSettled([
      store().apply(topology('one', 1, [network('red', 100)]), 'a'),
      store().apply(topology('other', 1, [network('blue', 100)]), 'b'),
    ])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(results.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: 'W-1104', details: { findings: [{ code: 'W-1104' }] } } },
    ])
  })

  it('that must be the first is refused when it is not, and so is the removal of nothing', async () => {
    const one = store()
    await one.apply(version(0, 1), 'a', { ifMatch: 0n })
    await expect(one.apply(version(1, 1), 'b', { ifMatch: 0n })).rejects.toMatchObject({ code: 'W-3013' })
    await one.remove('lab')
    await expect(one.remove('lab')).rejects.toMatchObject({ code: 'W-3007' })
    expect(await etcd.use((client) => client.getAll().prefix('/weft/v1/object/').keys())).toEqual([])
  })
})

describe('what etcd holds by accident', () => {
  it('is quarantined and named; the last good topology is served until it is put right', async () => {
    const { control } = await controller()
    await control.apply(version(0, 2), '0')
    const head = await etcd.use((client) => client.get('/weft/v1/topology/lab').string())
    await etcd.use(async (client) => {
      await client.put('/weft/v1/topology/lab').value('{"epoch":')
      await client.put('/weft/v1/mac/1000/10.0.0.1').value('no page')
      await client.put('/weft/v1/else').value('?')
    })
    await until(() => control.quarantine.size === 2 && control.unknownKeys.size === 1)
    expect([...control.quarantine.keys()].sort()).toEqual([
      '/weft/v1/mac/1000/10.0.0.1',
      '/weft/v1/topology/lab',
    ])
    expect(control.topologies()).toMatchObject([{ source: '0' }])
    await etcd.use((client) => client.put('/weft/v1/topology/lab').value(head!).exec())
    await until(() => control.quarantine.size === 1)
    expect([...control.unknownKeys]).toEqual(['/weft/v1/else'])
  })
})

describe('the list-watch', () => {
  it('loses nothing and repeats nothing through a proxy that cuts it while it catches up', async () => {
    const way = await proxy()
    const client = new EtcdClient([way.endpoint])
    clients.push(client)
    const seen: string[] = []
    let listed = false
    let restarts = 0
    const stop = new AbortController()
    const watching = listWatch(
      { client, prefix: '/weft/v1/', log: pino({ level: 'silent' }), reconcileMs: 600_000 },
      {
        list: () => {
          if (listed) throw new Error('listed again, so that lost events could not be told')
          listed = true
        },
        events: (events) => {
          seen.push(...events.map(({ key }) => key))
          if (seen.length % 700 < events.length) way.cutAfter(2_000)
        },
        availability: () => undefined,
        restarted: () => {
          restarts++
        },
      },
      stop.signal,
    )
    await until(() => listed)
    way.refuse(true)
    const expected = Array.from({ length: 4000 }, (_, i) => `/weft/v1/x/${String(i).padStart(5, '0')}`)
    await etcd.use(async (writer) => {
      for (let at = 0; at < expected.length; at += 100) {
        await Promise.all(expected.slice(at, at + 100).map((key) => writer.put(key).value('v')))
      }
    })
    way.refuse(false)
    await until(() => seen.length >= expected.length)
    stop.abort()
    await watching
    expect([...seen].sort()).toEqual(expected)
    expect(restarts).toBeGreaterThan(2)
  })

  it('finds what was deleted while it was away and history was compacted', async () => {
    const way = await proxy()
    const { control, target } = await controller(way.endpoint)
    await control.apply(topology('a', 1, [network('red', 100, { ports: portsOn(1, 'tap0') })]), 'a')
    await control.apply(topology('b', 1, [network('blue', 200, { ports: portsOn(1, 'tap1') })]), 'b')
    const host0 = node('host0', target)
    await until(() => host0.segments.size === 2)

    way.refuse(true)
    const direct = store()
    await direct.remove('b')
    await direct.apply(topology('c', 1, [network('green', 300, { ports: portsOn(1, 'tap2') })]), 'c')
    await etcd.compact()
    way.refuse(false)
    await until(() => host0.segments.has(300) && !host0.segments.has(200))
    expect(control.topologies().map(({ name }) => name)).toEqual(['a', 'c'])
    expect(control.counters.relists).toBe(1)
    expect(host0.assignment!.ports).toEqual([plainPort('tap0', 100), plainPort('tap2', 300)])
  })

  it('reads everything again from time to time, and finds that nothing was lost', async () => {
    const { control } = await controller(etcd.endpoint, { reconcile_ms: 50 })
    for (let n = 0; n < 20; n++) await control.apply(version(n, 5), `${n}`)
    const { relists } = control.counters
    await until(() => control.counters.relists > relists + 2)
    expect(control.counters.missed_events).toBe(0)
    expect(control.topologies()).toMatchObject([{ source: '19' }])
  })
})

describe('etcd killed', () => {
  it('and started again is healed without a restart; what nodes learned meanwhile is not lost', async () => {
    const { control, target } = await controller()
    const red = network('red', 100, { ports: portsOn(2, 'tap0') })
    await control.apply(topology('lab', 2, [red]), 'a')
    const host0 = node('host0', target)
    await until(() => host0.segments.size === 1)

    await etcd.kill()
    await until(() => !control.store.available)
    host0.learn(100, macText(1), 'tap0')
    const host1 = node('host1', target)
    await until(() => host1.segments.size === 1) // served from what is known
    await expect(control.apply(topology('lab', 3, [red]), 'b')).rejects.toMatchObject({ code: 'W-3002' })
    await etcd.run()
    await until(() => control.store.available && host1.vtepOf(100, macText(1)) === '10.0.0.1')
    const { revision } = await control.apply(topology('lab', 3, [red]), 'b')
    await until(() => host0.revision >= revision)
    expect(control.counters.watch_restarts).toBeGreaterThan(0)
  })
})

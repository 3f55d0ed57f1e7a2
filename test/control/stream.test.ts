import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { plainPort, plainSpec } from '../../src/model/segment.fixture.js'
import { macText, network, portsOn, type RunningController, runController, topology, vtep } from './bench.js'
import { EtcdProcess } from './etcd-process.js'
import { NodeModel, until } from './node-model.js'

let etcd: EtcdProcess
const running: RunningController[] = []
const nodes: NodeModel[] = []

beforeAll(async () => {
  etcd = await EtcdProcess.start()
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.disconnect()
  for (const controller of running.splice(0)) await controller.stop()
  await etcd.clear()
})
afterAll(() => etcd.stop())

async function controller(settings = {}): Promise<RunningController> {
  const started = await runController(etcd.endpoint, settings)
  running.push(started)
  await until(() => started.control.store.available && started.control.revision > 0n)
  return started
}

function node(name: string, target: string, opts: { instance?: string } = {}): NodeModel {
  const model = new NodeModel(name, opts).connect(target)
  nodes.push(model)
  return model
}

describe('what a node gets', () => {
  it('is its own ports, and the segments it has ports in, with their members', async () => {
    const { control, target } = await controller()
    const red = network('red', 100, { ports: portsOn(2, 'tap0'), remotes: ['10.9.9.9'], mtu: 1400 })
    const blue = network('blue', 200, { ports: [{ node: 'host2', interface: 'tap0' }], flood: 'none' })
    await control.apply(topology('lab', 3, [red, blue]), 'yaml')
    const host0 = node('host0', target)
    const host2 = node('host2', target)
    await until(() => host0.revision > 0n && host2.revision > 0n)

    expect(host0.assignment).toEqual({
      underlay_dev: 'eth0',
      vtep: '10.0.0.1',
      udp_port: 4789,
      ports: [plainPort('tap0', 100)],
    })
    expect([...host0.segments.keys()]).toEqual([100])
    expect(host0.segments.get(100)!.spec).toEqual({
      ...plainSpec,
      fast_path: true,
      network: 'red',
      mtu: 1400,
      members: ['10.0.0.1', '10.0.0.2', '10.9.9.9'],
    })
    expect(host2.segments.get(200)!.spec).toMatchObject({ flood_replicate: false, members: ['10.0.0.3'] })
    expect([...host2.segments.keys()]).toEqual([200])
  })

  it('follows the topology: a port more, a port less, a segment gone, a node gone', async () => {
    const { control, target } = await controller()
    const one = (nodes: number) => network('red', 100, { ports: portsOn(nodes, 'tap0') })
    await control.apply(topology('lab', 2, [one(1)]), 'a')
    const host0 = node('host0', target)
    const host1 = node('host1', target)
    await until(() => host0.segments.size === 1 && host1.revision > 0n)
    expect(host1.segments.size).toBe(0)

    await control.apply(
      topology('lab', 2, [one(2), network('blue', 200, { ports: portsOn(1, 'tap1') })]),
      'b',
    )
    await until(() => host1.segments.size === 1 && host0.segments.get(100)!.spec.members.length === 2)
    await until(() => host0.segments.size === 2)
    expect(host0.segments.get(100)!.spec.members).toEqual(['10.0.0.1', '10.0.0.2'])

    await control.apply(topology('lab', 1, [one(1)]), 'c')
    await until(() => host0.segments.size === 1 && host1.segments.size === 0)
    expect(host1.assignment!.ports).toEqual([])
    expect(control.nodes().find(({ name }) => name === 'host1')).toMatchObject({
      declared: false,
      connected: true,
    })
  })

  it('has 1,000 static MACs: at their node, at their remote, flagged, on all nodes', async () => {
    const { control, target } = await controller()
    const statics = Array.from({ length: 1000 }, (_, i) =>
      i % 10 === 0 ? { mac: macText(i), remote: '10.9.9.9' } : { mac: macText(i), node: `host${i % 3}` },
    )
    const red = network('red', 100, { ports: portsOn(3, 'tap0'), static: statics, remotes: ['10.9.9.9'] })
    const hosts = [0, 1, 2].map((i) => `host${i}`)
    await control.apply(topology('lab', 3, [network('red', 100, { ports: portsOn(3, 'tap0') })]), 'before')
    const models = hosts.map((name) => node(name, target))
    const { revision } = await control.apply(topology('lab', 3, [red]), 'yaml')
    const waited = await control.waitProgrammed(revision, hosts, AbortSignal.timeout(30_000))

    expect(waited.late).toEqual([])
    for (const model of models) {
      expect(model.segments.get(100)!.entries.size).toBe(1000)
      expect(model.vtepOf(100, macText(10))).toBe('10.9.9.9')
      expect(model.vtepOf(100, macText(11))).toBe(vtep(2))
      expect([...model.segments.get(100)!.entries.values()].every((entry) => entry.static)).toBe(true)
    }
    expect([...control.macs()]).toHaveLength(1000)
  })

  it('is spared on a reconnect: unchanged, then a delta, and over another controller too', async () => {
    const first = await controller()
    const red = (macs: number) =>
      network('red', 100, {
        ports: portsOn(1, 'tap0'),
        static: Array.from({ length: macs }, (_, i) => ({ mac: macText(i), node: 'host0' })),
      })
    await first.control.apply(topology('lab', 1, [red(50)]), 'a')
    const host0 = node('host0', first.target)
    await until(() => host0.revision > 0n)
    await host0.disconnect()
    host0.connect(first.target)
    await until(() => host0.kinds.length === 2)
    await host0.disconnect()
    await first.control.apply(topology('lab', 1, [red(51)]), 'b')
    host0.connect(first.target)
    await until(() => host0.kinds.length === 3)
    await host0.disconnect()
    const second = await controller()
    host0.connect(second.target)
    await until(() => host0.kinds.length === 4)

    // The other controller's table has another revision: that it is the same, the hash says.
    expect(host0.kinds).toEqual(['snapshot', 'unchanged', 'delta', 'unchanged'])
    expect(host0.segments.get(100)!.entries.size).toBe(51)
  })

  it('comes whole again when it asks', async () => {
    const { control, target } = await controller()
    await control.apply(topology('lab', 1, [network('red', 100, { ports: portsOn(1, 'tap0') })]), 'a')
    const host0 = node('host0', target)
    await until(() => host0.kinds.length === 1)
    host0.request(100)
    await until(() => host0.kinds.length === 2)
    expect(host0.kinds).toEqual(['snapshot', 'snapshot'])
    expect(control.counters.snapshots_resent).toBe(1)
  })
})

describe('who may connect', () => {
  it('is no node that nobody declared: NOT_FOUND, and it shows among the nodes', async () => {
    const { control, target } = await controller()
    const stranger = node('stranger', target)
    expect(await stranger.ended()).toMatchObject({
      code: 'W-3004',
      message: 'no topology declares node "stranger"',
      next: expect.stringContaining('weft'),
    })
    expect(control.nodes()).toMatchObject([{ name: 'stranger', declared: false, connected: false }])
  })

  it('is one of a name: a second instance is refused, the same instance takes over', async () => {
    const { control, target } = await controller()
    await control.apply(topology('lab', 1, [network('red', 100, { ports: portsOn(1, 'tap0') })]), 'a')
    const first = node('host0', target, { instance: 'one' })
    await until(() => first.revision > 0n)
    expect(await node('host0', target, { instance: 'two' }).ended()).toMatchObject({ code: 'W-3006' })
    expect(first.error).toBeUndefined()

    const again = node('host0', target, { instance: 'one' })
    await until(() => again.revision > 0n)
    expect(await first.ended()).toMatchObject({ code: 'W-3006' })
    expect(control.nodes()).toMatchObject([{ name: 'host0', connected: true, instance: 'one' }])
  })

  it('is told to come back while etcd has never answered', async () => {
    const lonely = await runController('http://127.0.0.1:1')
    running.push(lonely)
    await until(() => lonely.control.store.error?.includes('127.0.0.1:1'))
    expect(lonely.control.store.available).toBe(false)
    expect(await node('host0', lonely.target).ended()).toMatchObject({ code: 'W-3002' })
    await expect(lonely.control.apply(topology('lab', 1, []), 'a')).rejects.toMatchObject({ code: 'W-3002' })
  })
})

describe('acknowledgement', () => {
  it('tells who is late, and what was sent', async () => {
    const { control, target } = await controller()
    const red = network('red', 100, { ports: portsOn(2, 'tap0') })
    const { revision } = await control.apply(topology('lab', 3, [red]), 'a')
    const host0 = node('host0', target)
    const host1 = new NodeModel('host1')
    host1.acknowledges = false
    nodes.push(host1.connect(target))
    await until(() => host0.revision >= revision && host1.revision >= revision)
    const stop = new AbortController()
    const waiting = control.waitProgrammed(revision, ['host0', 'host1', 'host2'], stop.signal)
    await until(() => control.nodes().some(({ applied_revision }) => applied_revision >= revision))
    stop.abort()
    const result = await waiting
    expect(result.late).toEqual(['host1', 'host2'])
    expect(result.sent_ms).toBeUndefined()
    expect(result.programmed_ms).toBeUndefined()
    expect(control.nodes().map(({ connected }) => connected)).toEqual([true, true, false])
  })
})

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { formatMac } from '../../src/model/mac.js'
import { macText, network, portsOn, type RunningController, runController, topology } from './bench.js'
import { EtcdProcess } from './etcd-process.js'
import { NodeModel, until } from './node-model.js'

const MAC = '02:00:00:00:0a:01'
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

async function controller(): Promise<RunningController> {
  const started = await runController(etcd.endpoint)
  running.push(started)
  await until(() => started.control.revision > 0n)
  return started
}

/** Three nodes with tap0 and tap1 in red, connected in turn to the controllers given. */
async function segment(
  controllers: readonly RunningController[],
  parts: Parameters<typeof network>[2] = {},
): Promise<NodeModel[]> {
  const ports = [...portsOn(3, 'tap0'), ...portsOn(3, 'tap1')]
  await controllers[0]!.control.apply(topology('lab', 4, [network('red', 100, { ports, ...parts })]), 'yaml')
  const models = [0, 1, 2].map((i) =>
    new NodeModel(`host${i}`).connect(controllers[i % controllers.length]!.target),
  )
  nodes.push(...models)
  await until(() => models.every((model) => model.segments.has(100)))
  return models
}

describe('a segment that is gone', () => {
  it('leaves neither page nor guard nor journal behind', async () => {
    const one = await controller()
    const [host0, host1] = await segment([one])
    host0!.learn(100, MAC, 'tap0')
    await until(() => [...one.control.macs()].length === 1)
    const keys = () =>
      etcd.use(async (client) =>
        (await client.getAll().keys()).filter((key) => /\/(guard|mac|journal)\//.test(key)),
      )
    host1!.learn(100, MAC, 'tap0')
    await until(() => [...one.control.macs()].some(({ node }) => node === 'host1'))
    expect(await keys()).toEqual([
      '/weft/v1/guard/100',
      `/weft/v1/journal/100/${MAC}`,
      '/weft/v1/mac/100/10.0.0.2',
    ])
    await one.control.apply(topology('lab', 4, []), 'without red')
    await expect.poll(keys, { timeout: 30_000 }).toEqual([])

    const again = network('red', 100, { ports: portsOn(3, 'tap0') })
    await one.control.apply(topology('lab', 4, [again]), 'with red')
    await until(() => host0!.segments.has(100))
    host0!.learn(100, MAC, 'tap0')
    await until(() => [...one.control.macs()].length === 1)
  })
})

describe('a claim', () => {
  it('reaches all nodes, and is listed with its port', async () => {
    const one = await controller()
    const [host0, host1, host2] = await segment([one])
    host1!.learn(100, MAC, 'tap1')
    await until(() => [host0, host1, host2].every((host) => host!.vtepOf(100, MAC) === '10.0.0.2'))
    expect([...one.control.macs()]).toMatchObject([
      {
        network: 'red',
        vni: 100,
        mac: MAC,
        type: 'port',
        node: 'host1',
        interface: 'tap1',
        vtep: '10.0.0.2',
        learned: 'control',
        seq: 0,
        flags: '',
      },
    ])
    expect(host0!.segments.get(100)!.entries.values().next().value!.static).toBe(false)
  })

  it('that is announced moves a MAC back at once', async () => {
    const one = await controller()
    const [host0, host1, host2] = await segment([one])
    host0!.learn(100, MAC, 'tap0')
    await until(() => host2!.vtepOf(100, MAC) === '10.0.0.1')
    host1!.learn(100, MAC, 'tap0')
    await until(() => host2!.vtepOf(100, MAC) === '10.0.0.2')
    host0!.learn(100, MAC, 'tap0', { announced: true })
    await until(() => host2!.vtepOf(100, MAC) === '10.0.0.1')
  })

  it('binds addresses, which all nodes get where ARP is suppressed', async () => {
    const one = await controller()
    const statics = [{ mac: macText(9), ip: '10.1.0.9', node: 'host0' }]
    const [host0, host1] = await segment([one], { arp: 'suppress', static: statics })
    const bound = () =>
      [...host1!.segments.get(100)!.bindings].map(([ip, { mac }]) => `${ip} ${formatMac(mac)}`).sort()
    expect(bound()).toEqual([`10.1.0.9 ${macText(9)}`])
    host0!.learn(100, MAC, 'tap0', { addresses: ['10.1.0.1', 'fd00::1'] })
    await until(() => bound().length === 3)
    expect(bound()).toEqual([`10.1.0.1 ${MAC}`, `10.1.0.9 ${macText(9)}`, `fd00::1 ${MAC}`])
    host1!.learn(100, macText(2), 'tap0', { addresses: ['10.1.0.1'] })
    await until(() => bound()[0] === `10.1.0.1 ${macText(2)}`)
    expect([...one.control.macs()].map(({ mac, ips }) => `${mac} ${ips.join()}`)).toEqual([
      `${macText(2)} 10.1.0.1`,
      `${macText(9)} 10.1.0.9`,
      `${MAC} fd00::1`,
    ])
    await host1!.disconnect()
    const ports = portsOn(3, 'tap0')
    await one.control.apply(topology('lab', 4, [network('red', 100, { ports, static: statics })]), 'flood')
    await until(() => host0!.segments.get(100)!.bindings.size === 0)
  })

  it('moves a MAC in one revision and raises its sequence number', async () => {
    const one = await controller()
    const [host0, host1, host2] = await segment([one])
    host0!.learn(100, MAC, 'tap0')
    await until(() => host2!.vtepOf(100, MAC) === '10.0.0.1')
    const seen = new Set<number>()
    const end = one.control.onChange(() => seen.add([...one.control.macs()].length))
    host1!.learn(100, MAC, 'tap0')
    await until(() => host2!.vtepOf(100, MAC) === '10.0.0.2')
    end()
    expect([...seen]).toEqual([1])
    expect([...one.control.macs()]).toMatchObject([{ node: 'host1', seq: 1, flags: 'M' }])
    expect(one.control.counters.mac_moves).toBe(1)
    // A withdrawal of the place it left changes nothing.
    host0!.learn(100, MAC, 'tap0', { withdraw: true })
    host1!.learn(100, macText(2), 'tap0')
    await until(() => host2!.vtepOf(100, macText(2)))
    expect(host2!.vtepOf(100, MAC)).toBe('10.0.0.2')
  })

  it('is withdrawn by word, and by a complete set that does not name it', async () => {
    const one = await controller()
    const [host0, , host2] = await segment([one])
    for (const i of [1, 2, 3]) host0!.learn(100, macText(i), 'tap0')
    await until(() => host2!.segments.get(100)!.entries.size === 3)
    host0!.learn(100, macText(1), 'tap0', { withdraw: true })
    await until(() => host2!.segments.get(100)!.entries.size === 2)
    host0!.claim([{ vni: 100, mac: macText(3), device: 'tap0' }], true)
    await until(() => host2!.segments.get(100)!.entries.size === 1)
    expect(host2!.vtepOf(100, macText(3))).toBe('10.0.0.1')
    host0!.claim([], true)
    await until(() => host2!.segments.get(100)!.entries.size === 0)
  })

  it('does not move what is declared', async () => {
    const one = await controller()
    const [host0, host1] = await segment([one], { static: [{ mac: MAC, node: 'host0' }] })
    host1!.learn(100, MAC, 'tap0')
    await until(() => one.control.counters.claims_refused.static === 1)
    expect(host0!.vtepOf(100, MAC)).toBe('10.0.0.1')
    expect([...one.control.macs()]).toMatchObject([{ type: 'static', node: 'host0', flags: 'S' }])
  })

  it('is refused and counted: no such port, no learning, no station', async () => {
    const one = await controller()
    const [host0] = await segment([one])
    host0!.learn(100, MAC, 'tap9')
    host0!.learn(200, MAC, 'tap0')
    host0!.learn(100, '01:00:5e:00:00:01', 'tap0')
    const { control } = one
    await until(() => control.counters.claims_refused.undeclared_port === 2)
    await until(() => control.counters.claims_refused.not_station === 1)
    const ports = [...portsOn(3, 'tap0'), ...portsOn(3, 'tap1')]
    await control.apply(topology('lab', 4, [network('red', 100, { ports, learning: 'static' })]), 'b')
    host0!.learn(100, MAC, 'tap0')
    await until(() => control.counters.claims_refused.learning_off === 1)
    expect([...control.macs()]).toEqual([])
  })

  it('of a whole set takes nothing that another node has; heard anew it does', async () => {
    const one = await controller()
    const [host0, host1] = await segment([one])
    host0!.learn(100, MAC, 'tap0')
    await until(() => host1!.vtepOf(100, MAC) === '10.0.0.1')
    host1!.claim([{ vni: 100, mac: MAC, device: 'tap0' }], true)
    await until(() => one.control.counters.claims_refused.elsewhere === 1)
    host1!.learn(100, MAC, 'tap0')
    await until(() => host0!.vtepOf(100, MAC) === '10.0.0.2')
  })

  it('in two places at once freezes the MAC after five moves', async () => {
    const one = await controller()
    const [host0, host1, host2] = await segment([one])
    host0!.learn(100, MAC, 'tap0')
    await until(() => host2!.vtepOf(100, MAC) === '10.0.0.1')
    for (let move = 1; move <= 5; move++) {
      const [host, address] = move % 2 === 1 ? [host1!, '10.0.0.2'] : [host0!, '10.0.0.1']
      host.learn(100, MAC, 'tap0', { announced: true })
      await until(() => host2!.vtepOf(100, MAC) === address)
    }
    host0!.learn(100, MAC, 'tap0')
    await until(() => one.control.counters.claims_refused.frozen === 1)
    expect([...one.control.macs()]).toMatchObject([{ node: 'host1', seq: 5, flags: 'MD' }])

    // Another life of the controller, and another controller, know it too.
    await one.stop()
    running.splice(0)
    const other = await controller()
    await host0!.disconnect()
    host0!.connect(other.target)
    await until(() => [...other.control.macs()].length === 1)
    expect([...other.control.macs()]).toMatchObject([{ node: 'host1', seq: 5, flags: 'MD' }])
    host0!.learn(100, MAC, 'tap0', { announced: true })
    await until(() => other.control.counters.claims_refused.frozen === 1)
  })

  it('of 3,000 MACs on one port fills pages, and all of them go with the port', async () => {
    const one = await controller()
    const [host0, host1] = await segment([one])
    const claims = Array.from({ length: 3000 }, (_, i) => ({ vni: 100, mac: macText(i), device: 'tap0' }))
    host0!.claim(claims, true)
    await until(() => host1!.segments.get(100)!.entries.size === 3000)
    const pages = await etcd.use((client) => client.getAll().prefix('/weft/v1/mac/').keys())
    expect(pages).toHaveLength(Math.ceil(3000 / 256))

    const ports = portsOn(3, 'tap0').filter(({ node }) => node !== 'host0')
    await one.control.apply(topology('lab', 4, [network('red', 100, { ports })]), 'b')
    await until(() => host1!.segments.get(100)!.entries.size === 0)
    for (;;) {
      const left = await etcd.use((client) => client.getAll().prefix('/weft/v1/mac/').keys())
      if (left.length === 0) break
    }
  })
})

describe('two controllers at once', () => {
  it('agree on one owner for each MAC, whoever claims it where', async () => {
    const both = [await controller(), await controller()]
    const hosts = await segment(both)
    const macs = Array.from({ length: 40 }, (_, i) => macText(i))
    for (const mac of macs) for (const host of hosts) host.learn(100, mac, 'tap0')
    await until(() => hosts.every((host) => host.segments.get(100)!.entries.size === 40))
    // Nobody claims any more: the last writes only have to reach everyone.
    await until(() => {
      const hashes = new Set(hosts.map((host) => host.segments.get(100)!.hash))
      const revisions = new Set(both.map(({ control }) => control.revision))
      return hashes.size === 1 && revisions.size === 1
    })
    const [one, other] = both.map(({ control }) =>
      [...control.macs()].map(({ mac, vtep }) => `${mac} ${vtep}`),
    )
    expect(one).toEqual(other)
    expect(one).toHaveLength(40)
    expect(both[0]!.control.quarantine.size).toBe(0)
  })

  it('have one journal of what a MAC did, whichever of them its nodes talk to', async () => {
    const both = [await controller(), await controller()]
    const [host0, host1, host2] = await segment(both)
    host0!.learn(100, MAC, 'tap0')
    await until(() => host2!.vtepOf(100, MAC) === '10.0.0.1')
    for (const [host, address] of [
      [host1!, '10.0.0.2'],
      [host2!, '10.0.0.3'],
      [host0!, '10.0.0.1'],
      [host1!, '10.0.0.2'],
      [host0!, '10.0.0.1'],
    ] as const) {
      host.learn(100, MAC, 'tap0', { announced: true })
      await until(() => [host0!, host1!, host2!].every((each) => each.vtepOf(100, MAC) === address))
    }
    host1!.learn(100, MAC, 'tap1', { announced: true })
    const journals = () => both.map(({ control }) => control.journals(MAC)[0]?.events ?? [])
    await until(() => journals().every((events) => events.length === 7))
    const [one, other] = journals()
    expect(one).toEqual(other)
    expect(one!.map(({ event, from, to, seq, reason }) => [event, from, to, seq, reason])).toEqual([
      ['moved', 'host0/tap0', 'host1/tap0', 1, undefined],
      ['moved', 'host1/tap0', 'host2/tap0', 2, undefined],
      ['moved', 'host2/tap0', 'host0/tap0', 3, undefined],
      ['moved', 'host0/tap0', 'host1/tap0', 4, undefined],
      ['moved', 'host1/tap0', 'host0/tap0', 5, undefined],
      ['frozen', undefined, undefined, 5, undefined],
      ['refused', 'host0/tap0', 'host1/tap1', 5, 'frozen'],
    ])
    expect(both.map(({ control }) => [...control.macs()][0]!.flags)).toEqual(['MD', 'MD'])
  })

  it('both serve what either is given', async () => {
    const both = [await controller(), await controller()]
    const hosts = await segment(both)
    hosts[1]!.learn(100, MAC, 'tap0')
    await until(() => hosts.every((host) => host.vtepOf(100, MAC) === '10.0.0.2'))
    await both[1]!.control.remove('lab')
    await until(() => hosts.every((host) => host.segments.size === 0))
    expect(both[0]!.control.topologies()).toEqual([])
  })
})

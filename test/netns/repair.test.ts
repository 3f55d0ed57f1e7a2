import { readdirSync, rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { NodeItem } from '../../src/api/items.js'
import { labDirectory } from '../../src/lab/names.js'
import { parseMac } from '../../src/model/mac.js'
import { abiDigest, maps } from '../../src/node/bpf/abi.gen.js'
import { BpfMap } from '../../src/node/bpf/map.js'
import { eventually, labUp } from './harness.js'
import { startFlow } from './traffic.js'

const lab = labUp('bridge-unicast.yaml', 'wt-repair')

/** Where a daemon pins; maps and links are below. */
const pins = (host: string) => `${labDirectory('wt-repair')}/bpf/${host}/${abiDigest.slice(0, 12)}`

describe('behind the daemon of host0, someone deletes', () => {
  it('an entry of the forwarding table: it is written again', async () => {
    using fdb = BpfMap.open(`${pins('host0')}/maps/fdb`, maps.fdb)
    const key = { vni: 10000, mac: parseMac(lab().endpoint('r2').mac)! }
    const before = fdb.get(key)
    expect(before).toBeDefined()
    expect(fdb.delete(key)).toBe(true)
    await eventually('the entry is back', async () => fdb.get(key) !== undefined, 5_000)
    // Of a later revision it may be.
    expect(fdb.get(key)).toMatchObject({ vtep: before!.vtep, flags: before!.flags })
  })

  it('all entries of the forwarding table and of the VTEPs: traffic is whole again', async () => {
    using fdb = BpfMap.open(`${pins('host0')}/maps/fdb`, maps.fdb)
    using vteps = BpfMap.open(`${pins('host0')}/maps/vteps`, maps.vteps)
    const macs = fdb.entries().map(([key]) => key)
    const peers = vteps.entries().map(([key]) => key)
    expect(fdb.deleteMany(macs)).toBe(macs.length)
    expect(vteps.deleteMany(peers)).toBe(peers.length)
    // More may be there by then: what endpoints send is learned meanwhile.
    await eventually('the entries are back', async () => {
      return macs.every((key) => fdb.get(key)) && peers.every((key) => vteps.get(key))
    })
    await expectTraffic()
  })

  it('an entry that nobody asked for is added: it is taken out again', async () => {
    using fdb = BpfMap.open(`${pins('host0')}/maps/fdb`, maps.fdb)
    const [, entry] = fdb.entries()[0]!
    const key = { vni: 10000, mac: parseMac('02:00:00:00:de:ad')! }
    fdb.set(key, entry)
    await eventually('the foreign entry is gone', async () => fdb.get(key) === undefined, 5_000)
  })

  it('the pinned link of a port: the program is attached again', async () => {
    const directory = `${pins('host0')}/links`
    const links = () => readdirSync(directory).filter((name) => name.startsWith('port_ingress'))
    const before = links()
    expect(before.length).toBeGreaterThan(0)
    for (const name of before) rmSync(`${directory}/${name}`)
    await eventually('the links are back', async () => links().length === before.length)
    await expectTraffic()
  })

  it('the VXLAN device: a new one takes its place', async () => {
    await lab().must('host0', 'ip', 'link', 'del', 'weft-vxlan')
    await eventually('the device is back', async () => {
      const { code } = await lab().run('host0', 'ip', 'link', 'show', 'weft-vxlan', 'up')
      return code === 0
    })
    await expectTraffic()
  })

  it('the MTU of the VXLAN device is changed, or the device is set down: both are put right', async () => {
    const read = async () =>
      JSON.parse(await lab().must('host0', 'ip', '-j', 'link', 'show', 'weft-vxlan')) as [
        { mtu: number; flags: string[] },
      ]
    const [{ mtu }] = await read()
    await lab().must('host0', 'ip', 'link', 'set', 'weft-vxlan', 'mtu', '1000', 'down')
    await eventually('MTU and state are back', async () => {
      const [link] = await read()
      return link.mtu === mtu && link.flags.includes('UP')
    })
    await expectTraffic()
  })

  it('a port and makes it anew under the same name: it is a port again', async () => {
    const host = lab().namespace('host0')
    const endpoint = lab().endpoint('r0')
    await lab().must('host0', 'ip', 'link', 'del', 'tap0')
    await lab().must(
      'r0',
      ...`ip link add eth0 address ${endpoint.mac} mtu ${endpoint.mtu} type veth peer name tap0 netns ${host}`.split(
        ' ',
      ),
    )
    await lab().must(
      'host0',
      'ip',
      'link',
      'set',
      'tap0',
      'mtu',
      `${endpoint.mtu}`,
      'addrgenmode',
      'none',
      'up',
    )
    await lab().must('r0', 'ip', 'link', 'set', 'eth0', 'up')
    await lab().must('r0', 'ip', 'addr', 'add', endpoint.addresses[0]!, 'dev', 'eth0')
    await expectTraffic()
  })
})

describe('afterwards', () => {
  it('no node reports a failure, and a flow loses nothing', async () => {
    await eventually('all nodes are ready', async () => {
      const nodes = await lab().list<NodeItem>('nodes')
      return nodes.every(({ state }) => state === 'ready')
    })
    const flow = await startFlow(lab(), { from: 'r0', to: 'r2', rate: 2000 })
    expect(await flow.stop()).toMatchObject({ lost: 0, duplicated: 0 })
  })
})

async function expectTraffic(): Promise<void> {
  await eventually('host0 forwards again', async () => (await lab().ping('r0', lab().address('r2'))) === 3)
  expect(await lab().ping('r0', lab().address('r2'), { count: 20 })).toBe(20)
}

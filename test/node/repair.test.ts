import { spawnSync } from 'node:child_process'
import { readdirSync, unlinkSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { parseMac } from '../../src/model/mac.js'
import { plainPort } from '../../src/model/segment.fixture.js'
import { abiDigest, maps } from '../../src/node/bpf/abi.gen.js'
import { BpfMap } from '../../src/node/bpf/map.js'
import { plainConfig } from '../../src/node/bpf/values.fixture.js'
import { ip, Rig, until } from './rig.js'

const one = parseMac('02:00:00:00:00:01')!
const two = parseMac('02:00:00:00:00:02')!

describe('a node whose kernel state is changed behind its back', () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await new Rig().build()
    rig.daemon('h0')
    rig.daemon('h1')
    await rig.settled('h0', 'h1')
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    await until('both MACs are placed', () => rig.controller.segments.get(7)!.entries.size === 2)
    await rig.settled('h0', 'h1')
  })
  afterAll(() => rig.remove())
  afterEach(() => expect(rig.ping('e0', '10.1.0.2')).toBe(true))

  const pins = () => `${rig.bpffs('h0')}/${abiDigest.slice(0, 12)}`
  const repairs = (driver: string) => rig.status('h0').repairs[driver] ?? 0

  it('writes deleted and changed FDB entries again and removes strange ones', async () => {
    using fdb = BpfMap.open(`${pins()}/maps/fdb`, maps.fdb)
    const right = fdb.get({ vni: 7, mac: two })
    expect(right).toMatchObject({ vtep: '10.99.0.2', flags: 0 })
    fdb.delete({ vni: 7, mac: two })
    fdb.set({ vni: 9, mac: one }, { vtep: '10.99.0.9' as Ip, flags: 0, revision: 0 })
    await until('the entries are right', () => fdb.entries().length === 2 && !!fdb.get({ vni: 7, mac: two }))
    fdb.set({ vni: 7, mac: two }, { vtep: '10.99.0.77' as Ip, flags: 0, revision: 0 })
    await until('the entry is right', () => fdb.get({ vni: 7, mac: two })?.vtep === right?.vtep)
    expect(repairs('map fdb')).toBeGreaterThanOrEqual(2)
  })

  it('writes the other tables again', async () => {
    using vteps = BpfMap.open(`${pins()}/maps/vteps`, maps.vteps)
    using segments = BpfMap.open(`${pins()}/maps/segments`, maps.segments)
    using ports = BpfMap.open(`${pins()}/maps/ports`, maps.ports)
    using config = BpfMap.open(`${pins()}/maps/config`, maps.config)
    const before = [vteps, segments, ports, config].map((map) => map.entries())
    vteps.delete({ vni: 7, vtep: '10.99.0.2' as Ip })
    segments.delete({ vni: 7 })
    for (const [key] of ports.entries()) ports.delete(key)
    config.set({ zero: 0 }, { ...plainConfig, ttl: 1 })
    await until('all are right', () => {
      const now = [vteps, segments, ports, config].map((map) => map.entries())
      return JSON.stringify(now) === JSON.stringify(before)
    })
  })

  it('attaches a program again when its link is gone', async () => {
    const links = `${pins()}/links`
    const before = readdirSync(links).sort()
    expect(before).toHaveLength(2)
    for (const link of before) unlinkSync(`${links}/${link}`)
    await until('both are attached', () => repairs('attach') === 2)
    expect(readdirSync(links).sort()).toEqual(before)
  })

  it('makes the VXLAN device again, with its program', async () => {
    rig.run('h0', 'ip link delete weft-vxlan')
    await until('it is there', () => repairs('device') === 1 && rig.status('h0').programs.length === 2)
  })

  it('brings the VXLAN device up again and gives it its MTU', async () => {
    rig.run('h0', 'ip link set weft-vxlan down mtu 1300')
    await until('it is right', () => {
      const device = rig.run('h0', 'ip -o link show weft-vxlan')
      return device.includes(' mtu 1450 ') && device.includes(',UP')
    })
  })

  it('follows the MTU of the underlay, down and up, and leaves the ports to their owner', async () => {
    rig.run('h0', 'ip link set eth0 mtu 1490')
    await until('it is lowered', () => rig.run('h0', 'ip -o link show weft-vxlan').includes(' mtu 1440 '))
    rig.run('h0', 'ip link set eth0 mtu 1500')
    await until('it is raised', () => rig.run('h0', 'ip -o link show weft-vxlan').includes(' mtu 1450 '))
    expect(rig.run('h0', 'ip -o link show tap0')).toContain(' mtu 1500 ')
  })

  it('answers frames that are larger than the segment takes, and counts them under their reason', async () => {
    rig.run('e0', 'ip link set eth0 mtu 1500')
    const ping = ['ping', '-c', '1', '-W', '1', '-M', 'do', '-s', '1472', '10.1.0.2']
    const { stdout } = spawnSync('nsenter', [`--net=/run/netns/${rig.ns('e0')}`, ...ping], {
      encoding: 'utf8',
    })
    expect(stdout).toContain('mtu = 1450')
    await until('the drop is reported', () =>
      rig.controller.told.get('h0')!.report!.verdicts.some(({ reason }) => reason === 'drop_too_big'),
    )
    rig.run('e0', 'ip link set eth0 mtu 1430')
  })

  it('reports a port whose device takes less than its network carries', async () => {
    rig.run('h0', 'ip link set tap0 mtu 1400')
    await until('it is reported', () => rig.status('h0').failures.some(({ code }) => code === 'W-2110'))
    expect(rig.status('h0').failures).toMatchObject([
      { what: 'port h0/tap0', message: expect.stringContaining('has MTU 1400, its network carries 1450') },
    ])
    rig.run('h0', 'ip link set tap0 mtu 1500')
    await until('it is well', () => rig.status('h0').failures.length === 0)
  })

  it('reports a port whose device goes, keeps the others, and takes the new device of that name', async () => {
    ip(`-n ${rig.ns('h0')} link add tap1 type veth peer name peer1`)
    const { assignments } = rig.controller
    const node = assignments.get('h0')!
    assignments.set('h0', { ...node, ports: [...node.ports, plainPort('tap1', 7)] })
    rig.controller.publish()
    await rig.settled('h0')

    ip(`-n ${rig.ns('h0')} link delete tap0`)
    const failures = () => rig.controller.told.get('h0')!.applied.at(-1)!.failures
    await until('it is reported', () => failures().length > 0)
    expect(failures()).toMatchObject([{ code: 'W-2104', what: 'port h0/tap0' }])
    expect(rig.status('h0').ports).toMatchObject([
      { interface: 'tap0', state: 'missing' },
      { interface: 'tap1', state: 'down' },
    ])
    expect(rig.status('h0').programs.map((program) => program.interface)).toEqual(['tap1', 'weft-vxlan'])

    rig.endpoint(0)
    await rig.settled('h0')
    assignments.set('h0', node)
    rig.controller.publish()
    await rig.settled('h0')
    expect(readdirSync(`${pins()}/links`)).toHaveLength(2)
  })
})

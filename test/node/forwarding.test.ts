import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseMac } from '../../src/model/mac.js'
import { abiDigest, maps } from '../../src/node/bpf/abi.gen.js'
import { BpfMap } from '../../src/node/bpf/map.js'
import { Rig, until } from './rig.js'

describe.each([
  ['IPv4', false, 1450],
  ['IPv6', true, 1430],
])('two nodes with an %s underlay', (_, v6, mtu) => {
  let rig: Rig
  beforeAll(async () => {
    rig = await new Rig().build({ v6 })
    rig.daemon('h0')
    rig.daemon('h1')
    await rig.settled('h0', 'h1')
  })
  afterAll(() => rig.remove())

  it('carry IPv4 and IPv6 between their endpoints', () => {
    expect(rig.ping('e0', '10.1.0.2', 3)).toBe(true)
    expect(rig.ping('e0', 'fd01::2', 3)).toBe(true)
    expect(rig.ping('e1', '10.1.0.1')).toBe(true)
  })

  it('give the VXLAN device the MTU that the underlay leaves', () => {
    expect(rig.run('h0', 'ip -o link show weft-vxlan')).toContain(` mtu ${mtu} `)
  })

  it('claim the MACs that they hear, and stop flooding once the controller has placed them', async () => {
    await until('both MACs are placed', () => rig.controller.segments.get(7)!.entries.size === 2)
    await rig.settled('h0', 'h1')
    // Nothing but the pings: no neighbour discovery, no multicast reports.
    for (const [endpoint, ip, mac] of [
      ['e0', '10.1.0.2', '02:00:00:00:00:02'],
      ['e1', '10.1.0.1', '02:00:00:00:00:01'],
    ] as const) {
      rig.run(endpoint, `ip neighbour replace ${ip} lladdr ${mac} dev eth0 nud permanent`)
      rig.run(endpoint, 'sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1')
    }
    const count = (reason: string) =>
      rig
        .status('h0')
        .verdicts.find((verdict) => verdict.program === 'port_ingress' && verdict.reason === reason)
        ?.packets ?? 0
    const flooded = () => [count('forward_flood'), rig.status('h0').tunnels[0]?.tx_flooded]
    const [floodedBefore, sentBefore] = [flooded(), count('forward_tunnel')]
    expect(rig.ping('e0', '10.1.0.2', 10)).toBe(true)
    expect(count('forward_tunnel') - sentBefore).toBe(10)
    expect(flooded()).toEqual(floodedBefore)
  })

  it('say that they are ready', () => {
    expect(JSON.parse(rig.get('h0', '/readyz'))).toMatchObject({ status: 'ok' })
    expect(rig.status('h0')).toMatchObject({ ready: true, failures: [] })
  })

  it('follow a MAC that moves to the other node, and the old node does not claim it back', async () => {
    const { entries } = rig.controller.segments.get(7)!
    const [h0, h1] = ['h0', 'h1'].map((host) => rig.controller.assignments.get(host)!.vtep)
    const one = parseMac('02:00:00:00:00:01')!
    expect(entries.get(one)?.vtep).toBe(h0)
    rig.run('e0', 'ip link set eth0 down')
    rig.run('e1', 'ip link set eth0 down')
    rig.run('e1', 'ip link set eth0 address 02:00:00:00:00:01')
    rig.run('e1', 'ip link set eth0 up')
    rig.ping('e1', '10.1.0.99')
    await until('it is placed at the other node', () => entries.get(one)?.vtep === h1)

    using learned = BpfMap.open(`${rig.bpffs('h0')}/${abiDigest.slice(0, 12)}/maps/learned`, maps.learned)
    await until('the old node has let go', () => !learned.get({ vni: 7, mac: one }))
    rig.controller.stop()
    await rig.controller.start()
    rig.controller.told.clear()
    await until('both have claimed anew', () =>
      ['h0', 'h1'].every((host) => rig.controller.told.get(host)?.claims[0]?.complete),
    )
    expect(entries.get(one)?.vtep).toBe(h1)
  })
})

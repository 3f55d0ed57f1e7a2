import { describe, expect, it } from 'vitest'
import type { DesiredTopology } from '../model/desired-state.js'
import { checkAgainst, diffDesired, formatChanges, loadTopology } from './index.js'

function desired(yaml: string, name = 'net'): DesiredTopology {
  const { desired, problems } = loadTopology(`apiVersion: weft/v1\nkind: Topology\nname: ${name}\n${yaml}`)
  expect(problems).toEqual([])
  return desired!
}

const base = `
nodes:
  host0: { underlay: { dev: eth0, address: 10.0.0.1/24 } }
  host7: { underlay: { dev: eth0, address: 10.0.0.7/24 } }
networks:
  red:
    vni: 10
    mode: unicast
    ports: [{ node: host0, interface: tap0 }, { node: host7, interface: tap0 }]
    static: [{ mac: "02:00:00:00:00:01", node: host7 }]
`

describe('diffDesired', () => {
  it('finds nothing between equal topologies', () => {
    expect(diffDesired(desired(base), desired(base))).toEqual([])
    expect(formatChanges([], 7n)).toBe('no changes against revision 7\n')
  })

  it('tells each change and what it does to traffic', () => {
    const after = `
nodes:
  host0: { underlay: { dev: eth1, address: 10.0.0.1/24 } }
networks:
  red:
    vni: 10
    mode: unicast
    flood: none
    mtu: 1400
    ports: [{ node: host0, interface: tap0 }, { node: host0, interface: tap1 }]
    static: [{ mac: "02:00:00:00:00:01", ip: 10.1.0.1, node: host0 }]
    remotes: [192.0.2.77]
  green: { vni: 11, mode: unicast, ports: [{ node: host0, interface: tap2 }] }
`
    expect(`\n${formatChanges(diffDesired(desired(base), desired(after)), 1842n)}`).toBe(`
~ nodes.host0.underlay.dev                 eth0 → eth1                             brief: tunnels of host0, < 1 s each
~ networks.red.flood                       replicate → none                        live
~ networks.red.mtu                         auto → 1400                             brief: ports of red, < 1 s each
~ networks.red.static[02:00:00:00:00:01]   at host7 → 10.1.0.1 at host0            live
+ networks.red.ports[host0/tap1]           port                                    live
+ networks.red.remotes[192.0.2.77]         may send here                           live
+ networks.green                           vni 11, unicast, 1 member               live
- nodes.host7                              takes 1 static MAC and 1 port with it   ports stop
- networks.red.ports[host7/tap0]           port                                    port stops
9 changes (3 add, 4 change, 2 remove) against revision 1842
`)
  })

  it('tells when a network goes over to multicast, and when ports get guards', () => {
    const after = base
      .replace(
        'mode: unicast',
        'mode: multicast\n    group: 239.1.1.1\n    bum_limit: none\n    ra_guard: true',
      )
      .replace('interface: tap0 }', 'interface: tap0, addresses: [10.1.0.1], router: true }')
      .replace('node: host7, interface: tap0', 'node: host7, bridge: tap0')
    expect(`\n${formatChanges(diffDesired(desired(base), desired(after)), 7n)}`).toBe(`
~ networks.red.mode                unicast → multicast                     brief: ports of red, < 1 s each
~ networks.red.flood               replicate → group                       live
~ networks.red.group               none → 239.1.1.1                        brief: flooded frames of red, < 1 s
~ networks.red.learning            control → dataplane                     live
~ networks.red.bum_limit           10000 → none                            live
~ networks.red.ra_guard            false → true                            live
~ networks.red.ports[host0/tap0]   port → port, only 10.1.0.1/32, router   live
~ networks.red.ports[host7/tap0]   port → bridge                           brief: the port, < 1 s
8 changes (8 change) against revision 7
`)
  })

  it('takes a topology that is new as additions', () => {
    const changes = diffDesired(undefined, desired(base))

    expect(changes.map(({ op, path }) => `${op} ${path}`)).toEqual([
      'add nodes.host0',
      'add nodes.host7',
      'add networks.red',
    ])
  })
})

describe('checkAgainst', () => {
  const others = [desired(base, 'base')]

  it('passes over the topology that is replaced', () => {
    expect(checkAgainst(desired(base, 'base'), others)).toEqual([])
  })

  it('lets two topologies share a node with the same underlay', () => {
    const other = desired('nodes:\n  host0: { underlay: { dev: eth0, address: 10.0.0.1/24 } }', 'other')

    expect(checkAgainst(other, others)).toEqual([])
  })

  it('refuses VNIs, ports, addresses and nodes that another topology has', () => {
    const other = desired(
      `
nodes:
  host0: { underlay: { dev: eth0, address: 10.0.0.1/16 } }
  mine: { underlay: { dev: eth0, address: 10.0.0.7/16 } }
networks:
  blue: { vni: 10, mode: unicast, ports: [{ node: host0, interface: tap0 }] }
`,
      'other',
    )

    expect(checkAgainst(other, others).map(({ code, message }) => `${code} ${message}`)).toEqual([
      'W-1109 nodes.host0: its underlay is 10.0.0.1/16 on eth0, UDP 4789, but 10.0.0.1/24 on eth0, UDP 4789 in topology base',
      'W-1102 nodes.mine.underlay.address: 10.0.0.7 is the address of node host7 of topology base',
      'W-1104 networks.blue.vni: VNI 10 belongs to network red of topology base',
      'W-1103 networks.blue.ports[0]: host0/tap0 is a port of network red of topology base',
    ])
  })
})

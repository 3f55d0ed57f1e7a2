import { describe, expect, it } from 'vitest'
import { type DesiredTopology, networkDefaults } from '../../model/desired-state.js'
import { plainNetwork } from '../../model/segment.fixture.js'
import { joinTopology, splitTopology } from './topology-objects.js'

const macs = Array.from({ length: 1_200 }, (_, i) => ({
  mac: `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
  node: 'a',
}))
const lab: DesiredTopology = {
  name: 'lab',
  description: 'two nodes',
  nodes: [
    { name: 'b', underlay: { dev: 'eth0', address: '10.0.0.2', prefix_length: 24, port: 4789 } },
    { name: 'a' },
  ],
  networks: [
    {
      ...plainNetwork,
      name: 'red',
      vni: 100,
      remotes: ['fd00::9'],
      ports: [{ node: 'b', interface: 'tap0' }],
      static: macs,
    },
  ],
}

describe('a topology as objects', () => {
  it('comes back with its order and its source, however long', () => {
    const source = 'é😀'.repeat(300_000)
    expect(joinTopology('lab', splitTopology(lab, source))).toEqual({ desired: lab, source })
  })

  it('comes back with multicast, bridges and guards', () => {
    const port = { node: 'b', interface: 'br0', kind: 'bridge', router: true } as const
    const guarded = { node: 'b', interface: 'tap0', macs: ['02:00:00:00:00:01'], addresses: ['10.0.0.1/32'] }
    const group = { mode: 'multicast', flood: 'group', group: '239.1.1.1', learning: 'dataplane' } as const
    const network = { ...lab.networks[0]!, ...group, ports: [port, guarded], mac_limit: 7 }
    const other = { ...lab, networks: [network] }
    expect(joinTopology('lab', splitTopology(other, '')).desired).toEqual(other)
  })

  it('that an older version stored is as if its file were applied again', () => {
    const objects = new Map(splitTopology(lab, 'yaml'))
    const { mac_limit, bum_limit, ra_guard, fast_path, ...older } = JSON.parse(objects.get('network/red')!)
    expect([mac_limit, bum_limit, ra_guard, fast_path]).not.toContain(undefined)
    objects.set('network/red', JSON.stringify(older))
    expect(joinTopology('lab', objects).desired.networks[0]).toMatchObject({
      ...networkDefaults,
      ra_guard: false,
      fast_path: 'auto',
    })
  })

  it('has small values, and a small edit changes few of them', () => {
    const before = splitTopology(lab, 'yaml')
    const after = splitTopology({ ...lab, nodes: [lab.nodes[0]!] }, 'yaml')
    const changed = [...before].filter(([id, value]) => after.get(id) !== value).map(([id]) => id)
    expect(changed).toEqual(['meta/self', 'node/a'])
    expect([...before.keys()].filter((id) => id.startsWith('static/'))).toHaveLength(3)
  })

  it('that lacks an object, or has one of another kind, says which', () => {
    const objects = new Map(splitTopology(lab, 'yaml'))
    objects.set('node/a', '{"name":7}')
    expect(() => joinTopology('lab', objects)).toThrow('node/a: ')
    objects.set('node/a', '{')
    expect(() => joinTopology('lab', objects)).toThrow('node/a is not JSON')
    objects.delete('node/a')
    expect(() => joinTopology('lab', objects)).toThrow('node/a is missing')
  })
})

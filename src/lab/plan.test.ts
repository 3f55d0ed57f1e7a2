import { describe, expect, it } from 'vitest'
import type { DesiredTopology } from '../model/desired-state.js'
import type { LabSpec } from '../topology/lab-spec.js'
import { planLab } from './plan.js'

const desired: DesiredTopology = {
  name: 'small',
  description: '',
  nodes: [
    { name: 'host0', underlay: { dev: 'eth0', address: '172.16.1.100', prefix_length: 24, port: 4789 } },
  ],
  networks: [],
}
const endpoint = {
  name: 'alice',
  node: 'host0',
  interface: 'tap0',
  network: 'green',
  vni: 100,
  addresses: ['10.0.0.1/24', 'fd00::1/64'],
  mtu: 1450,
}
const spec: LabSpec = {
  segments: [{ name: 'fabric', kind: 'bridge', members: ['host0'], mtu: 1500 }],
  bridges: [],
  endpoints: [endpoint],
  traffic: [],
  checks: [],
}

describe('planLab', () => {
  const plan = planLab(desired, spec)

  it('makes nothing in the namespace that ip runs in', () => {
    for (const line of plan.create) expect(line).toMatch(/^netns add |^link add (name )?\S+ netns /)
  })

  it('marks every namespace', () => {
    for (const namespace of plan.namespaces)
      expect(plan.configure.get(namespace)?.[0]).toBe('link set dev lo alias weft-lab:small')
  })

  it('gives no IPv6 address that has to wait for duplicate address detection', () => {
    const lines = plan.configure.get('weft-small-alice')!
    for (const line of lines.filter((one) => /^addr add .*:/.test(one))) expect(line).toMatch(/ nodad$/)
    expect(lines.indexOf('link set dev eth0 addrgenmode none')).toBeLessThan(
      lines.indexOf('link set dev eth0 up'),
    )
  })

  it('derives the same MAC each time, and the link-local address from it', () => {
    expect(plan.endpoints[0]!.mac).toBe('0a:00:00:64:00:01')
    expect(plan.configure.get('weft-small-alice')).toContain('addr add fe80::800:ff:fe64:1/64 dev eth0 nodad')
  })

  it('refuses members that would share a namespace', () => {
    const twins = { ...spec, endpoints: [{ ...endpoint, name: 'fabric' }] }
    expect(() => planLab(desired, twins)).toThrow(/share the namespace weft-small-fabric/)
  })

  it('gives a port without an endpoint a device, and none to a port that is a bridge', () => {
    const network = {
      name: 'green',
      vni: 100,
      ports: [
        { node: 'host0', interface: 'tap0' },
        { node: 'host0', interface: 'tap1' },
        { node: 'host0', interface: 'br0', kind: 'bridge' },
      ],
    } as unknown as DesiredTopology['networks'][number]
    const { create, ports } = planLab({ ...desired, networks: [network] }, spec)
    expect(ports.map((port) => port.interface)).toEqual(['tap0', 'tap1'])
    const sockets = create.filter((line) => /netns weft-small-host0 .*type bridge/.test(line))
    expect(sockets).toEqual(['link add name tap1 netns weft-small-host0 mtu 65535 type bridge'])
  })

  it('makes the bridges of a host before what is behind them', () => {
    const behind = { ...endpoint, interface: 'alice', bridge: 'br0' }
    const bridged = { ...spec, bridges: [{ name: 'br0', node: 'host0' }], endpoints: [behind] }
    const { create, configure } = planLab(desired, bridged)
    const made = create.indexOf('link add name br0 netns weft-small-host0 type bridge')
    expect(made).toBeGreaterThan(-1)
    expect(made).toBeLessThan(create.findIndex((line) => line.includes('peer name alice')))
    expect(configure.get('weft-small-host0')).toContain('link set dev alice master br0')
  })

  it('lets a host join as many groups as the file has, and as many more as it may anyway', () => {
    const groups = ['239.1.1.1', '239.1.1.2', '239.1.1.1', undefined]
    const networks = groups.map((group, vni) => ({ name: `n${vni}`, vni, ports: [], group }))
    const many = { ...desired, networks: networks as unknown as DesiredTopology['networks'] }
    expect(planLab(many, spec).sysctls).toEqual({ 'net/ipv4/igmp_max_memberships': 22 })
  })
})

import { describe, expect, it } from 'vitest'
import { loadTopology } from '../index.js'

const head = 'apiVersion: weft/v1\nkind: Topology\nname: net\n'

function load(yaml: string, opts?: { lab?: boolean }) {
  const { desired, lab, problems } = loadTopology(head + yaml, opts)
  expect(problems).toEqual([])
  return { desired: desired!, lab }
}

function messages(yaml: string): string[] {
  return loadTopology(head + yaml, { lab: true }).problems.map(({ message }) => message)
}

const twoHosts = `
nodes:
  a: { underlay: { dev: eth0, address: 10.0.0.1/24 } }
  b: { underlay: { dev: eth1, address: 10.0.0.2/24, port: 4789 } }
`

describe('a compiled topology', () => {
  it('has the defaults of a network filled in', () => {
    const { desired } = load('networks: { red: { vni: 7, mode: unicast } }')

    expect(desired.networks).toEqual([
      {
        name: 'red',
        vni: 7,
        mode: 'unicast',
        flood: 'replicate',
        learning: 'control',
        mac_ageing_s: 300,
        arp: 'flood',
        mtu: 'auto',
        mac_limit: 4096,
        bum_limit: 10_000,
        ra_guard: false,
        fast_path: 'auto',
        ports: [],
        static: [],
        remotes: [],
      },
    ])
  })

  it('has a group, limits that are off, bridges and who may speak on a port', () => {
    const { desired } = load(`${twoHosts}networks:
  red:
    vni: 7
    mode: multicast
    group: "239.1.1.1"
    mac_limit: none
    bum_limit: none
    ports:
      - { node: a, bridge: br0 }
      - { node: b, interface: tap0, macs: ["02:00:00:00:00:AB"], addresses: [10.1.0.1, "FD00::/64"], router: true }
`)

    expect(desired.networks[0]).toMatchObject({
      mode: 'multicast',
      flood: 'group',
      group: '239.1.1.1',
      learning: 'dataplane',
      mac_limit: 0,
      bum_limit: 0,
      ports: [
        { node: 'a', interface: 'br0', kind: 'bridge' },
        {
          node: 'b',
          interface: 'tap0',
          macs: ['02:00:00:00:00:ab'],
          addresses: ['10.1.0.1/32', 'fd00::/64'],
          router: true,
        },
      ],
    })
  })

  it('has the nodes of a set with addresses in order', () => {
    const { desired } = load(
      'node_sets: { h: { count: 3, underlay: { dev: eth0, subnet: 172.16.0.0/23, first: 254 } } }',
    )

    expect(desired.nodes.map(({ name, underlay }) => `${name} ${underlay?.address}`)).toEqual([
      'h0 172.16.0.254',
      'h1 172.16.0.255',
      'h2 172.16.1.0',
    ])
  })

  it('takes an IPv6 underlay', () => {
    const { desired, lab } = load(
      `nodes: { a: { underlay: { dev: eth0, address: "FD00:0::1/64" } } }
networks: { red: { vni: 1, mode: unicast, remotes: ["fd00:0:0::9"] } }
lab: { endpoints: { x: { attach: { node: a, network: red } } } }`,
      { lab: true },
    )

    expect(desired.nodes[0]?.underlay).toEqual({
      dev: 'eth0',
      address: 'fd00::1',
      prefix_length: 64,
      port: 4789,
    })
    expect(desired.networks[0]?.remotes).toEqual(['fd00::9'])
    expect(lab?.endpoints[0]?.mtu).toBe(1500 - 70)
  })

  it('writes MACs in lower case and durations in seconds', () => {
    const { desired } = load(
      `${twoHosts}networks: { red: { vni: 1, mode: unicast, mac_ageing: 5m, static: [{ mac: "02:00:00:00:00:AB", node: a }] } }`,
    )

    expect(desired.networks[0]).toMatchObject({
      mac_ageing_s: 300,
      static: [{ mac: '02:00:00:00:00:ab', node: 'a' }],
    })
  })

  it('leaves the lab aside unless asked for it', () => {
    const yaml = `${twoHosts}networks: { red: { vni: 1, mode: unicast } }
lab: { endpoint_sets: [{ name: "{network}{i}", network: red }] }`

    expect(load(yaml).desired.networks[0]?.ports).toEqual([])
    expect(load(yaml).lab).toBeUndefined()
    expect(load(yaml, { lab: true }).desired.networks[0]?.ports).toEqual([
      { node: 'a', interface: 'red0' },
      { node: 'b', interface: 'red1' },
    ])
  })

  it('knows no name that every JavaScript object has', () => {
    expect(messages('networks: { red: { vni: 1, mode: unicast, members: [constructor] } }')).toEqual([
      'networks.red.members[0]: there is no node "constructor"',
    ])
    expect(
      messages('networks: { red: { vni: 1, mode: unicast, members: { node_set: toString } } }'),
    ).toHaveLength(1)
  })
})

describe('a compiled lab', () => {
  it('puts all nodes on one segment when the file names none', () => {
    const { lab } = load(twoHosts, { lab: true })

    expect(lab).toEqual({
      segments: [{ name: 'fabric', kind: 'bridge', members: ['a', 'b'], mtu: 1500 }],
      bridges: [],
      endpoints: [],
      traffic: [],
      checks: [],
    })
  })

  it('gives the endpoints of a set names, ports and addresses of both families', () => {
    const { lab } = load(
      `${twoHosts}networks: { red: { vni: 9, mode: unicast, mtu: 1300 } }
lab:
  endpoint_sets:
    - { name: "{node}-{network}-{i}", network: red, per_node: 2, subnet: 10.1.0.0/24, subnet6: "fd00::/64", first: 10 }`,
      { lab: true },
    )

    expect(lab?.endpoints.map(({ name }) => name)).toEqual(['a-red-0', 'a-red-1', 'b-red-2', 'b-red-3'])
    expect(lab?.endpoints[3]).toEqual({
      name: 'b-red-3',
      node: 'b',
      interface: 'b-red-3',
      network: 'red',
      vni: 9,
      addresses: ['10.1.0.13/24', 'fd00::d/64'],
      mtu: 1300,
    })
  })

  it('attaches an endpoint to the port that the file declares', () => {
    const { desired, lab } = load(
      `${twoHosts}networks: { red: { vni: 9, mode: unicast, ports: [{ node: a, interface: tap0 }] } }
lab: { endpoints: { x: { attach: { node: a, interface: tap0 }, addresses: [10.1.0.1/24, "fd00::1/64"] } } }`,
      { lab: true },
    )

    expect(lab?.endpoints[0]).toMatchObject({ name: 'x', interface: 'tap0', network: 'red' })
    expect(desired.networks[0]?.ports).toHaveLength(1)
  })

  it('puts endpoints behind a bridge, which becomes a port when no port of the file is one', () => {
    const { desired, lab } = load(
      `${twoHosts}networks: { red: { vni: 9, mode: unicast, ports: [{ node: a, bridge: br0 }] } }
lab:
  bridges: { br0: {} }
  endpoints: { x: { attach: { node: b, bridge: br0, network: red } } }
  endpoint_sets: [{ name: "y{i}", network: red, bridge: br0, nodes: [a] }]`,
      { lab: true },
    )

    expect(lab?.bridges).toEqual([
      { name: 'br0', node: 'a' },
      { name: 'br0', node: 'b' },
    ])
    expect(lab?.endpoints.map(({ node, interface: device, bridge }) => [node, device, bridge])).toEqual([
      ['b', 'x', 'br0'],
      ['a', 'y0', 'br0'],
    ])
    expect(desired.networks[0]?.ports).toEqual([
      { node: 'a', interface: 'br0', kind: 'bridge' },
      { node: 'b', interface: 'br0', kind: 'bridge' },
    ])
  })

  it('gives an endpoint that moves a port where it moves to, unless one is free there', () => {
    const { desired } = load(
      `${twoHosts}networks: { red: { vni: 9, mode: unicast, ports: [{ node: b, interface: tap0 }] } }
lab:
  endpoints:
    x: { attach: { node: a, network: red }, moves_to: [b] }
    y: { attach: { node: a, network: red } }
  checks: [{ kind: mac_move, endpoint: x, to: b }, { kind: mac_move, endpoint: y, to: b }]`,
      { lab: true },
    )

    expect(desired.networks[0]?.ports).toEqual([
      { node: 'b', interface: 'tap0' },
      { node: 'a', interface: 'x' },
      { node: 'a', interface: 'y' },
      { node: 'b', interface: 'y' },
    ])
  })

  it('sends traffic to an endpoint by an address of a shared family', () => {
    const { lab } = load(
      `${twoHosts}networks: { red: { vni: 9, mode: unicast } }
lab:
  endpoints:
    x: { attach: { node: a, network: red }, address: "fd00::1/64" }
    y: { attach: { node: b, network: red }, addresses: [10.1.0.2/24, "fd00::2/64"] }
  traffic:
    - { from: x, to: y, kind: ping, every: 200ms, count: 5 }
    - { from: x, to: 10.9.9.9, kind: tcp }`,
      { lab: true },
    )

    expect(lab?.traffic).toEqual([
      { kind: 'ping', from: 'x', to: 'y', address: 'fd00::2', flows: 1, every_ms: 200, count: 5, size: 56 },
      {
        kind: 'tcp',
        from: 'x',
        to: '10.9.9.9',
        address: '10.9.9.9',
        flows: 1,
        every_ms: 1000,
        duration_ms: 10_000,
      },
    ])
  })

  it('names checks that the file does not name', () => {
    const { lab } = load(
      `networks: { red: { vni: 1, mode: unicast }, blue: { vni: 2, mode: unicast } }
lab: { checks: [{ kind: ping_mesh }, { kind: isolation, between: [red, blue] }, { kind: mtu, network: red, after: 1s }] }`,
      { lab: true },
    )

    expect(lab?.checks).toEqual([
      {
        kind: 'ping_mesh',
        name: 'mesh of red and blue',
        networks: ['red', 'blue'],
        after_ms: 0,
        within_ms: 10_000,
      },
      {
        kind: 'isolation',
        name: 'red and blue are isolated',
        networks: ['red', 'blue'],
        after_ms: 0,
        within_ms: 10_000,
      },
      {
        kind: 'mtu',
        name: 'full-size packets pass in red',
        networks: ['red'],
        after_ms: 1000,
        within_ms: 10_000,
      },
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { parseMac } from '../../model/mac.js'
import { nodeState } from './node-state.fixture.js'
import { type Device, mtuFailures, placePorts, portMtuFailures } from './placement.js'

const device = (name: string, ifindex: number, mtu = 1500): [string, Device] => [
  name,
  { name, ifindex, mtu, up: true, mac: parseMac('02:00:00:00:00:aa')! },
]
const opts = { node: 'host0', tunnelMtu: 1450, reserved: ['eth0', 'weft-vxlan'] }

describe('placePorts', () => {
  it('places a port at the device of its name, with the MTU that its segment carries', () => {
    const state = nodeState({ ports: [['tap0', 7]], segments: [{ vni: 7, mtu: 1400 }] })
    const { ports, failures } = placePorts(state, new Map([device('tap0', 4)]), opts)
    expect(failures).toEqual([])
    expect(ports).toMatchObject([{ interface: 'tap0', vni: 7, ifindex: 4, mtu: 1400 }])
  })

  it('takes what the tunnel carries when the segment asks for nothing or for more', () => {
    const state = nodeState({
      ports: [
        ['tap0', 7],
        ['tap1', 8],
      ],
      segments: [{ vni: 7 }, { vni: 8, mtu: 1500 }],
    })
    const { ports } = placePorts(state, new Map([device('tap0', 4), device('tap1', 5)]), opts)
    expect(ports.map(({ mtu }) => mtu)).toEqual([1450, 1450])
    expect(mtuFailures(state, 1450)).toMatchObject([{ code: 'W-2110', what: 'network net8' }])
  })

  it('reports a missing device of one port and places the others', () => {
    const state = nodeState({
      ports: [
        ['tap0', 7],
        ['tap1', 7],
      ],
      segments: [{ vni: 7 }],
    })
    const { ports, failures } = placePorts(state, new Map([device('tap1', 5)]), opts)
    expect(ports.map((port) => port.interface)).toEqual(['tap1'])
    expect(failures).toEqual([
      {
        code: 'W-2104',
        what: 'port host0/tap0',
        message: 'device tap0 of node host0 does not exist',
        next: 'ip -d link show tap0',
      },
    ])
  })

  it('reports a port whose device takes less than its segment carries, and none that takes more', () => {
    const state = nodeState({
      ports: [
        ['tap0', 7],
        ['tap1', 7],
      ],
      segments: [{ vni: 7, mtu: 1400 }],
    })
    const devices = new Map([device('tap0', 4, 1399), device('tap1', 5, 9000)])
    const { ports } = placePorts(state, devices, opts)
    expect(portMtuFailures(ports, 'host0')).toMatchObject([
      {
        code: 'W-2110',
        what: 'port host0/tap0',
        next: 'ip link set tap0 mtu 1400, or set mtu: 1399 for the network',
      },
    ])
  })

  it('never makes a port of a device that carries the tunnels', () => {
    const state = nodeState({ ports: [['eth0', 7]], segments: [{ vni: 7 }] })
    const { ports, failures } = placePorts(state, new Map([device('eth0', 2)]), opts)
    expect(ports).toEqual([])
    expect(failures).toMatchObject([{ code: 'W-2113', what: 'port host0/eth0' }])
  })

  it('never makes a port of a device that carries no Ethernet', () => {
    const state = nodeState({ ports: [['tun0', 7]], segments: [{ vni: 7 }] })
    const tun = { name: 'tun0', ifindex: 6, mtu: 1500, up: true }
    const { ports, failures } = placePorts(state, new Map([['tun0', tun]]), opts)
    expect(ports).toEqual([])
    expect(failures).toMatchObject([{ code: 'W-2113', what: 'port host0/tun0' }])
  })
})

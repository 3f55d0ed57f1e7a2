import { WeftError } from '../../common/errors.js'
import type { Mac } from '../../model/mac.js'
import type { AssignedPort, NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import { bridgePair } from './bridge-ports.js'
import { failureOf } from './failure.js'

/** Of a network device, what placing a port needs. */
export interface Device {
  readonly ifindex: number
  readonly name: string
  /** Largest L3 packet, bytes. */
  readonly mtu: number
  readonly up: boolean
  /** Absent on devices that carry no Ethernet. */
  readonly mac?: Mac
  /** A veth whose other end is in another network namespace. */
  readonly terminates?: boolean
}

/** A declared port whose device is there. */
export interface PlacedPort extends AssignedPort {
  readonly ifindex: number
  /** Largest Ethernet payload that its segment carries, bytes. */
  readonly mtu: number
  readonly device: Device
}

export interface PlaceOptions {
  /** For messages. */
  readonly node: string
  /** Largest Ethernet payload that the underlay leaves to a tunnel, bytes; unknown without underlay device. */
  readonly tunnelMtu: number | undefined
  /** Devices that carry the tunnels: a program there would cut the host off. */
  readonly reserved: readonly string[]
}

const NO_LIMIT = 65_535

/** Finds the device of each declared port. Pure. What is missing or cannot be is a failure of that port alone. */
export function placePorts(
  state: NodeState,
  devices: ReadonlyMap<string, Device>,
  opts: PlaceOptions,
): { ports: PlacedPort[]; failures: Failure[] } {
  const ports: PlacedPort[] = []
  const failures: Failure[] = []
  for (const declared of state.assignment.ports) {
    const what = `port ${opts.node}/${declared.interface}`
    const segment = state.segments.get(declared.vni)
    const device = deviceOf(declared, devices, opts.node)
    if (!device || !segment || device.mac === undefined || opts.reserved.includes(device.name)) {
      failures.push(failureOf(obstacle(declared, device, opts), what))
      continue
    }
    const tunnelMtu = opts.tunnelMtu ?? NO_LIMIT
    const mtu = segment.spec.mtu === 0 ? tunnelMtu : Math.min(segment.spec.mtu, tunnelMtu)
    ports.push({ ...declared, ifindex: device.ifindex, mtu, device })
  }
  return { ports, failures }
}

/** A bridge's is our end of the pair that plugs it in; it is there only with the bridge. */
function deviceOf(
  { interface: name, kind }: AssignedPort,
  devices: ReadonlyMap<string, Device>,
  node: string,
): Device | undefined {
  if (kind === 'device' || !devices.has(name)) return devices.get(name)
  return devices.get(bridgePair(node, name).port)
}

/** Ports whose device takes less than their segment carries. Pure. */
export function portMtuFailures(ports: readonly PlacedPort[], node: string): Failure[] {
  return ports
    .filter(({ device, mtu }) => device.mtu < mtu)
    .map(({ interface: name, device, mtu }) => {
      const message = `device ${name} of node ${node} has MTU ${device.mtu}, its network carries ${mtu}: larger frames vanish in the device`
      const next = `ip link set ${name} mtu ${mtu}, or set mtu: ${device.mtu} for the network`
      return failureOf(new WeftError('W-2110', message, { next }), `port ${node}/${name}`)
    })
}

/** Segments whose declared MTU the underlay cannot carry. Pure. */
export function mtuFailures(state: NodeState, tunnelMtu: number | undefined): Failure[] {
  if (tunnelMtu === undefined) return []
  return [...state.segments.values()]
    .filter(({ spec }) => spec.mtu > tunnelMtu)
    .map(({ spec }) => {
      const { underlay_dev: dev } = state.assignment
      const message = `network ${spec.network} wants an MTU of ${spec.mtu}, the tunnel over ${dev} carries ${tunnelMtu}`
      const error = new WeftError('W-2110', message, {
        next: `raise the MTU of ${dev}, or set mtu: ${tunnelMtu} in network ${spec.network}`,
      })
      return failureOf(error, `network ${spec.network}`)
    })
}

function obstacle(
  { interface: name, vni }: { readonly interface: string; readonly vni: number },
  device: Device | undefined,
  { node, reserved }: PlaceOptions,
): WeftError {
  const next = `ip -d link show ${name}`
  const what = `device ${name} of node ${node}`
  if (!device) return new WeftError('W-2104', `${what} does not exist`, { next })
  if (reserved.includes(name)) {
    return new WeftError('W-2113', `${what} carries the tunnels and cannot be a port`, { next })
  }
  if (device.mac === undefined) {
    return new WeftError('W-2113', `${what} carries no Ethernet and cannot be a port`, { next })
  }
  return new WeftError('W-3010', `the controller placed ${name} in VNI ${vni} but sent no table of it`)
}

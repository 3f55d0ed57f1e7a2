import type { PortSpec } from '../../model/desired-state.js'
import type { Path } from '../problem.js'
import type { Findings } from './findings.js'
import { addWithoutUnderlay, type Nodes } from './nodes.js'

/** No port can be called so: devices that every node has, and what the kernel calls no device. */
export const RESERVED_DEVICES: readonly string[] = ['lo', 'weft-vxlan', 'default', 'all']
/** The pairs with which a node plugs bridges in. */
const PLUG = /^w[pb][0-9a-f]{8}$/

/** Where the file speaks of a port's node and of its interface. */
export interface PortPaths {
  readonly node: Path
  readonly interface: Path
  /** The interface is named after a key of the file. */
  readonly at?: 'key'
}

/** Which network each interface of each node belongs to. */
export class PortTable {
  private readonly owners = new Map<string, string>()

  constructor(
    private readonly nodes: Nodes,
    private readonly findings: Findings,
  ) {}

  networkOf(node: string, device: string): string | undefined {
    return this.owners.get(`${node}/${device}`)
  }

  names(): Iterable<string> {
    return this.owners.keys()
  }

  /** Takes the interface for the network; false when it cannot be had, and then says why. */
  claim(port: PortSpec, network: string, paths: PortPaths): boolean {
    const node = this.nodes.get(port.node)
    if (!node) {
      this.findings.unknown('node', port.node, paths.node, this.nodes.keys())
      return false
    }
    if (!node.spec.underlay) {
      addWithoutUnderlay(port.node, paths.node, this.findings)
      return false
    }
    const reason = this.reasonAgainst(port, node.spec.underlay.dev)
    if (reason) {
      this.findings.add('W-1103', paths.interface, reason, paths.at ? { at: paths.at } : {})
      return false
    }
    this.owners.set(nameOf(port), network)
    return true
  }

  private reasonAgainst(port: PortSpec, underlayDev: string): string | undefined {
    const name = nameOf(port)
    const owner = this.owners.get(name)
    if (owner !== undefined) return `${name} is a port of network ${owner} already`
    if (port.interface === underlayDev) return `${name} is the underlay device of ${port.node}`
    if (RESERVED_DEVICES.includes(port.interface) || PLUG.test(port.interface))
      return `${port.interface} cannot be a port`
    return undefined
  }
}

function nameOf(port: PortSpec): string {
  return `${port.node}/${port.interface}`
}

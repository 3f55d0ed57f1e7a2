import type { LabEndpoint } from '../lab-spec.js'
import type { Path } from '../problem.js'
import { addImpliedPort } from './implied-port.js'
import type { EndpointContext, Endpoints } from './lab-context.js'
import { addWithoutUnderlay } from './nodes.js'

/** Sees to it that endpoints find a free port where they are to move. */
export function compileMoves(context: EndpointContext, endpoints: Endpoints): void {
  const sockets = new Sockets(context, endpoints)
  const { lab } = context
  for (const [name, { moves_to: nodes = [] }] of Object.entries(lab.endpoints)) {
    for (const [at, node] of nodes.entries())
      sockets.provide(endpoints.get(name), node, ['lab', 'endpoints', name, 'moves_to', at])
  }
  for (const [index, check] of lab.checks.entries()) {
    if (check.kind !== 'mac_move') continue
    sockets.provide(endpoints.get(check.endpoint), check.to, ['lab', 'checks', index, 'to'])
  }
}

class Sockets {
  /** Ports as `host0/tap0`, in which something is plugged or will be. */
  private readonly taken: Set<string>
  /** As `r1 host0`. */
  private readonly provided = new Set<string>()

  constructor(
    private readonly context: EndpointContext,
    endpoints: Endpoints,
  ) {
    this.taken = new Set([...endpoints.values()].map((one) => `${one.node}/${one.interface}`))
  }

  /** An endpoint that could not be made has a finding of its own. */
  provide(endpoint: LabEndpoint | undefined, node: string, path: Path): void {
    if (!endpoint || !this.isOtherNode(endpoint, node, path)) return
    const key = `${endpoint.name} ${node}`
    if (this.provided.has(key)) return
    this.provided.add(key)
    if (endpoint.bridge !== undefined) this.checkBridge(endpoint.bridge, endpoint, node, path)
    else this.takePort(endpoint, node, path)
  }

  private isOtherNode(endpoint: LabEndpoint, node: string, path: Path): boolean {
    const { nodes, findings } = this.context
    const found = nodes.get(node)
    if (!found) findings.unknown('node', node, path, nodes.keys())
    else if (!found.spec.underlay) addWithoutUnderlay(node, path, findings)
    else if (node === endpoint.node) findings.add('W-1112', path, `${endpoint.name} is on ${node} already`)
    else return true
    return false
  }

  private takePort(endpoint: LabEndpoint, node: string, path: Path): void {
    const network = this.context.networks.byName.get(endpoint.network)
    const free = network?.ports.find(
      (port) => port.node === node && port.kind !== 'bridge' && !this.taken.has(`${node}/${port.interface}`),
    )
    if (free) this.taken.add(`${node}/${free.interface}`)
    if (free || !network) return
    const port = { node, interface: endpoint.name }
    if (addImpliedPort(port, network, { node: path, interface: path }, this.context))
      this.taken.add(`${node}/${endpoint.name}`)
  }

  private checkBridge(bridge: string, endpoint: LabEndpoint, node: string, path: Path): void {
    const { bridges, networks, findings } = this.context
    const name = `${node}/${bridge}`
    if (!bridges.has(node, bridge)) {
      findings.unknown('bridge', name, path, bridges.names(), ' in `lab.bridges`')
    } else if (networks.ports.networkOf(node, bridge) !== endpoint.network) {
      findings.unknown('port', name, path, networks.ports.names(), ` in network ${endpoint.network}`)
    }
  }
}

import type { LabBridge } from '../lab-spec.js'
import type { Path } from '../problem.js'
import { INTERFACE_NAME_MAX } from '../schema/scalars.js'
import { show } from '../words.js'
import { addImpliedPort } from './implied-port.js'
import type { EndpointContext, LabContext } from './lab-context.js'
import type { Plug } from './lab-endpoints.js'
import type { CompiledNetwork } from './networks.js'
import { selectNodes } from './nodes.js'
import { RESERVED_DEVICES } from './ports.js'

/** Which bridges each node has, for endpoints to be behind. */
export class BridgeTable {
  readonly bridges: LabBridge[] = []
  private readonly known = new Set<string>()

  constructor(context: LabContext) {
    const { lab, nodes, findings } = context
    for (const [name, { nodes: selection }] of Object.entries(lab.bridges)) {
      const path = ['lab', 'bridges', name]
      if (RESERVED_DEVICES.includes(name)) {
        findings.add('W-1103', path, `${show(name)} cannot be a bridge`, { at: 'key' })
        continue
      }
      for (const node of selectNodes(selection, [...path, 'nodes'], context)) {
        if (nodes.get(node)?.spec.underlay?.dev === name) {
          findings.add('W-1103', path, `${name} is the underlay device of ${node}`, { at: 'key' })
          continue
        }
        this.known.add(`${node}/${name}`)
        this.bridges.push({ name, node })
      }
    }
  }

  has(node: string, name: string): boolean {
    return this.known.has(`${node}/${name}`)
  }

  names(): Iterable<string> {
    return this.known
  }
}

/** Puts an endpoint behind a bridge that is a port of a network; with `network`, the bridge becomes one. */
export function plugBehind(wish: Wish, path: Path, context: EndpointContext): Plug | undefined {
  const { name, node, bridge, network } = wish
  const { bridges, networks, findings } = context
  const where = [...path, 'bridge']
  if (!bridges.has(node, bridge)) {
    findings.unknown('bridge', `${node}/${bridge}`, where, bridges.names(), ' in `lab.bridges`')
    return undefined
  }
  if (!isDeviceFree(wish, path, context)) return undefined
  const owner = networks.byName.get(networks.ports.networkOf(node, bridge) ?? '')
  const port = owner?.ports.find((one) => one.node === node && one.interface === bridge)
  if (owner && port?.kind === 'bridge' && (!network || network === owner)) {
    return { node, interface: name, bridge, network: owner }
  }
  if (!network) {
    findings.unknown('port', `${node}/${bridge}`, where, networks.ports.names(), ' that is a bridge')
    return undefined
  }
  const paths = { node: [...path, 'node'], interface: where }
  const made = addImpliedPort({ node, interface: bridge, kind: 'bridge' }, network, paths, context)
  return made ? { node, interface: name, bridge, network } : undefined
}

interface Wish {
  readonly name: string
  readonly node: string
  readonly bridge: string
  readonly network: CompiledNetwork | undefined
}

/** The endpoint's name becomes that of a device on its node. */
function isDeviceFree({ name, node }: Wish, path: Path, context: EndpointContext): boolean {
  const { bridges, networks, nodes, findings } = context
  const taken =
    bridges.has(node, name) ||
    networks.ports.networkOf(node, name) !== undefined ||
    nodes.get(node)?.spec.underlay?.dev === name ||
    RESERVED_DEVICES.includes(name)
  if (name.length > INTERFACE_NAME_MAX) {
    const text = `${show(name)} has ${name.length} characters; as an interface name it can have ${INTERFACE_NAME_MAX}`
    findings.add('W-1107', path, text)
  } else if (taken) {
    findings.add('W-1112', path, `${node} has another device ${name}; an endpoint needs another name`)
  } else return true
  return false
}

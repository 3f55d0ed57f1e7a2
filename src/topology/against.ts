import type { DesiredTopology, NodeSpec } from '../model/desired-state.js'
import { Findings } from './compile/findings.js'
import type { Finding } from './problem.js'

/**
 * Conflicts of `desired` with topologies already in force; one of the same name
 * is what it replaces and is passed over.
 */
export function checkAgainst(desired: DesiredTopology, others: readonly DesiredTopology[]): Finding[] {
  const findings = new Findings()
  const present = indexOf(others.filter(({ name }) => name !== desired.name))
  for (const node of desired.nodes) checkNode(node, present, findings)
  for (const { name, vni, ports } of desired.networks) {
    const owner = present.vnis.get(vni)
    if (owner) findings.add('W-1104', ['networks', name, 'vni'], `VNI ${vni} belongs to ${owner}`)
    for (const [index, port] of ports.entries()) {
      const holder = present.ports.get(`${port.node}/${port.interface}`)
      if (!holder) continue
      const text = `${port.node}/${port.interface} is a port of ${holder}`
      findings.add('W-1103', ['networks', name, 'ports', index], text)
    }
  }
  return findings.items
}

interface Present {
  readonly nodes: ReadonlyMap<string, { spec: NodeSpec; topology: string }>
  readonly addresses: ReadonlyMap<string, { node: string; topology: string }>
  /** Values: `network red of topology base`. */
  readonly vnis: ReadonlyMap<number, string>
  readonly ports: ReadonlyMap<string, string>
}

function indexOf(topologies: readonly DesiredTopology[]): Present {
  const nodes = new Map<string, { spec: NodeSpec; topology: string }>()
  const addresses = new Map<string, { node: string; topology: string }>()
  const vnis = new Map<number, string>()
  const ports = new Map<string, string>()
  for (const { name: topology, nodes: specs, networks } of topologies) {
    for (const spec of specs) {
      nodes.set(spec.name, { spec, topology })
      if (spec.underlay) addresses.set(spec.underlay.address, { node: spec.name, topology })
    }
    for (const network of networks) {
      const owner = `network ${network.name} of topology ${topology}`
      vnis.set(network.vni, owner)
      for (const port of network.ports) ports.set(`${port.node}/${port.interface}`, owner)
    }
  }
  return { nodes, addresses, vnis, ports }
}

/** A node has one underlay, whichever topology speaks of it; an address has one node. */
function checkNode(node: NodeSpec, present: Present, findings: Findings): void {
  const path = ['nodes', node.name]
  const known = present.nodes.get(node.name)
  if (known && underlayText(known.spec) !== underlayText(node)) {
    const text = `its underlay is ${underlayText(node)}, but ${underlayText(known.spec)} in topology ${known.topology}`
    findings.add('W-1109', path, text, { at: 'key' })
  }
  const address = node.underlay?.address
  const owner = address === undefined ? undefined : present.addresses.get(address)
  if (!owner || owner.node === node.name) return
  const text = `${address} is the address of node ${owner.node} of topology ${owner.topology}`
  findings.add('W-1102', [...path, 'underlay', 'address'], text)
}

function underlayText({ underlay }: NodeSpec): string {
  if (!underlay) return 'none'
  return `${underlay.address}/${underlay.prefix_length} on ${underlay.dev}, UDP ${underlay.port}`
}

import type { Path } from '../problem.js'
import type { Topology } from '../schema/topology.js'
import { show } from '../words.js'
import { type Cidr, hostProblem, isLinkLocal, overlap, stationProblem, subnetText } from './cidr.js'
import type { Findings } from './findings.js'
import type { CompiledNode, Nodes } from './nodes.js'

/** Addresses that tunnels cannot use, that are there twice, or that cannot reach each other. */
export function checkUnderlays(topology: Topology, nodes: Nodes, findings: Findings): void {
  const owners = new Map<string, string>()
  const subnets: { cidr: Cidr; node: string }[] = []
  let first: CompiledNode | undefined
  for (const node of nodes.values()) {
    const { underlay } = node.spec
    if (!underlay || !node.cidr) continue
    const path = addressPath(node)
    const written = node.set ? underlay.address : (topology.nodes[node.spec.name]?.underlay?.address ?? '')
    const problem = unusable(node.cidr, written)
    if (problem) findings.add('W-1006', path, `${show(written)} ${problem}`)

    const owner = owners.get(underlay.address)
    if (owner) findings.add('W-1102', path, `${underlay.address} is the address of ${owner} already`)
    else owners.set(underlay.address, node.spec.name)
    checkSubnet(node, node.cidr, subnets, findings)

    first ??= node
    if (underlay.port !== first.spec.underlay?.port) {
      const text = `UDP port ${underlay.port} differs from ${first.spec.underlay?.port} of ${first.spec.name}; tunnels use one port on all nodes`
      findings.add('W-1113', [...node.path, 'underlay', 'port'], text)
    }
  }
}

function unusable(cidr: Cidr, written: string): string | undefined {
  return (
    stationProblem(cidr.ip, written.split('/')[0] ?? '') ??
    hostProblem(cidr) ??
    (isLinkLocal(cidr.ip) ? 'is a link-local address, which tunnels cannot use' : undefined)
  )
}

/** Where the file gives the node its address. */
export function addressPath(node: CompiledNode): Path {
  return [...node.path, 'underlay', node.set ? 'subnet' : 'address']
}

/** Subnets are the same or apart; a host route (/32, /128) may lie in any. */
function checkSubnet(
  node: CompiledNode,
  cidr: Cidr,
  subnets: { cidr: Cidr; node: string }[],
  findings: Findings,
): void {
  if (cidr.prefix === cidr.bits) return
  if (subnets.some((known) => known.cidr.first === cidr.first && known.cidr.prefix === cidr.prefix)) return
  const clash = subnets.find((known) => overlap(known.cidr, cidr))
  if (clash) {
    const text = `${subnetText(cidr)} overlaps ${subnetText(clash.cidr)} of ${clash.node}; is a prefix length wrong?`
    findings.add('W-1113', addressPath(node), text)
  }
  if (subnets.length < 256) subnets.push({ cidr, node: node.spec.name })
}

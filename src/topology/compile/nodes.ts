import type { NodeSpec, UnderlaySpec } from '../../model/desired-state.js'
import type { Path } from '../problem.js'
import type { NodeSelection } from '../schema/nodes.js'
import type { Topology } from '../schema/topology.js'
import { show } from '../words.js'
import { addressAt, type Cidr, readCidr, subnetText } from './cidr.js'
import type { Findings } from './findings.js'
import { checkUnderlays } from './underlay.js'

/** A node and where the file speaks of it. */
export interface CompiledNode {
  readonly spec: NodeSpec
  /** Of the node, or of the set it comes from. */
  readonly path: Path
  /** Name in `node_sets`. */
  readonly set?: string
  readonly cidr?: Cidr
}

export type Nodes = ReadonlyMap<string, CompiledNode>

const MAX_NODES = 4096

/** Nodes in file order, sets expanded. */
export function compileNodes(topology: Topology, findings: Findings): Nodes {
  const nodes = new Map<string, CompiledNode>()
  for (const [name, { underlay }] of Object.entries(topology.nodes)) {
    if (nodes.size > MAX_NODES) break
    const path = ['nodes', name]
    if (!underlay) {
      nodes.set(name, { spec: { name }, path })
      continue
    }
    const cidr = readCidr(underlay.address)
    nodes.set(name, { spec: { name, underlay: underlayOf(cidr, underlay) }, path, cidr })
  }
  for (const set of Object.entries(topology.node_sets)) {
    if (nodes.size <= MAX_NODES) expand(set, nodes, findings)
  }
  if (nodes.size > MAX_NODES) findings.add('W-1111', ['nodes'], `more than ${MAX_NODES} nodes`)
  checkUnderlays(topology, nodes, findings)
  return nodes
}

function underlayOf(cidr: Cidr, { dev, port }: { dev: string; port: number }): UnderlaySpec {
  return { dev, address: cidr.ip, prefix_length: cidr.prefix, port }
}

type SetEntry = [string, Topology['node_sets'][string]]

function expand([prefix, set]: SetEntry, nodes: Map<string, CompiledNode>, findings: Findings): void {
  const path = ['node_sets', prefix]
  const subnet = readCidr(set.underlay.subnet)
  if (subnet.value !== subnet.first) {
    const text = `${show(set.underlay.subnet)} is an address in a subnet, not a subnet`
    const hint = `did you mean "${subnetText(subnet)}"?`
    findings.add('W-1006', [...path, 'underlay', 'subnet'], text, { hint })
  }
  for (let i = 0; i < set.count && nodes.size <= MAX_NODES; i++) {
    const name = `${prefix}${i}`
    const address = addressAt(subnet, set.underlay.first + i)
    if (address === undefined) {
      const text = `${subnetText(subnet)} has no address left for ${name}, ${set.underlay.first + i} after its first`
      findings.add('W-1110', [...path, 'count'], text)
      return
    }
    if (nodes.has(name)) {
      findings.add('W-1112', path, `the set makes a node ${name}, which is there already`, { at: 'key' })
      continue
    }
    const cidr = readCidr(`${address}/${subnet.prefix}`)
    nodes.set(name, { spec: { name, underlay: underlayOf(cidr, set.underlay) }, path, set: prefix, cidr })
  }
}

/** Everything the steps after the nodes share. */
export interface CompileContext {
  readonly topology: Topology
  readonly nodes: Nodes
  readonly findings: Findings
  /** Underlay address to node. */
  readonly vteps: ReadonlyMap<string, string>
  /** Selections that many networks share, by node set: '' is all nodes. */
  readonly selections: Map<string, ReadonlySet<string>>
  /** Whether a selection has underlays of both families. */
  readonly mixed: Map<ReadonlySet<string>, string | undefined>
}

/** What `members` and the like select; all with an underlay when they are left out. */
export function selectNodes(
  selection: NodeSelection | undefined,
  path: Path,
  context: CompileContext,
): ReadonlySet<string> {
  const { nodes, topology, findings } = context
  if (Array.isArray(selection)) return listedNodes(selection, path, nodes, findings)
  const set = selection?.node_set
  if (set !== undefined && !Object.hasOwn(topology.node_sets, set)) {
    findings.unknown('node_set', set, [...path, 'node_set'], Object.keys(topology.node_sets))
  }
  const key = set ?? ''
  const known = context.selections.get(key)
  if (known) return known
  const selected = [...nodes.values()].filter((node) => (set === undefined ? node.cidr : node.set === set))
  const names = new Set(selected.map(({ spec }) => spec.name))
  context.selections.set(key, names)
  return names
}

function listedNodes(list: readonly string[], path: Path, nodes: Nodes, findings: Findings): Set<string> {
  const names = new Set<string>()
  for (const [index, name] of list.entries()) {
    if (names.has(name)) findings.add('W-1112', [...path, index], `${name} is listed twice`)
    else if (!nodes.has(name)) findings.unknown('node', name, [...path, index], nodes.keys())
    else if (!nodes.get(name)?.spec.underlay) addWithoutUnderlay(name, [...path, index], findings)
    else names.add(name)
  }
  return names
}

export function addWithoutUnderlay(node: string, path: Path, findings: Findings): void {
  findings.add('W-1101', path, `node ${node} has no underlay, so it cannot be in a network`)
}

export function addNotMember(node: string, network: string, path: Path, findings: Findings): void {
  const refers = { kind: 'node', name: node } as const
  findings.add('W-1100', path, `node ${node} is not among the members of network ${network}`, { refers })
}

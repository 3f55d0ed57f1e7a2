import type { NetworkSpec, NodeSpec } from '../../model/desired-state.js'
import type { StoredTopology } from '../control.js'

export interface PlacedNetwork extends NetworkSpec {
  readonly topology: string
}

/** Names behind the numbers of reports, over all topologies of one view. Pure. */
export class Directory {
  readonly networks: readonly PlacedNetwork[]
  readonly nodes: ReadonlyMap<string, NodeSpec>
  private readonly networkByVni: ReadonlyMap<number, PlacedNetwork>
  private readonly nodeByVtep: ReadonlyMap<string, string>
  private readonly portsByNode: ReadonlyMap<string, number>

  constructor(topologies: readonly StoredTopology[]) {
    this.networks = topologies.flatMap(({ name, desired }) =>
      desired.networks.map((network) => ({ ...network, topology: name })),
    )
    this.nodes = new Map(topologies.flatMap(({ desired }) => desired.nodes.map((node) => [node.name, node])))
    this.networkByVni = new Map(this.networks.map((network) => [network.vni, network]))
    this.nodeByVtep = new Map(
      [...this.nodes.values()].flatMap((node) =>
        node.underlay ? [[node.underlay.address, node.name] as const] : [],
      ),
    )
    this.portsByNode = countBy(this.networks.flatMap((network) => network.ports.map((port) => port.node)))
  }

  networkName(vni: number): string | null {
    return this.networkByVni.get(vni)?.name ?? null
  }

  nodeName(vtep: string): string | null {
    return this.nodeByVtep.get(vtep) ?? null
  }

  portCount(node: string): number {
    return this.portsByNode.get(node) ?? 0
  }
}

/** How often each key occurs. */
export function countBy(keys: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

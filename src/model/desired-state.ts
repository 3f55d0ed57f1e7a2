/**
 * What a topology asks for, after compilation: references resolved, defaults
 * filled in, uniqueness checked. It is what etcd holds and what the controller
 * projects onto nodes.
 *
 * Records that cross a boundary keep the spelling of the YAML (snake_case) in
 * TypeScript too, so that a field has one name from file to metric.
 */

export interface UnderlaySpec {
  readonly dev: string
  /** Canonical text, without prefix length. */
  readonly address: string
  readonly prefix_length: number
  readonly port: number
}

export interface NodeSpec {
  readonly name: string
  /** Absent on a node that only serves gateways. */
  readonly underlay?: UnderlaySpec
}

export interface PortSpec {
  readonly node: string
  readonly interface: string
}

export interface StaticSpec {
  /** Lower-case text. */
  readonly mac: string
  readonly ip?: string
  /** The node that has the MAC on one of its ports, or … */
  readonly node?: string
  /** … the VTEP of `remotes` that has it. Exactly one of the two. */
  readonly remote?: string
}

export interface NetworkSpec {
  readonly name: string
  readonly vni: number
  readonly mode: 'unicast'
  readonly flood: 'replicate' | 'none'
  readonly learning: 'control' | 'static'
  readonly mac_ageing_s: number
  readonly arp: 'flood' | 'suppress'
  /** Largest inner L3 packet in bytes; `auto`: underlay MTU less the overhead. */
  readonly mtu: number | 'auto'
  readonly ports: readonly PortSpec[]
  readonly static: readonly StaticSpec[]
  /** VTEPs that Weft does not run, canonical text. */
  readonly remotes: readonly string[]
}

export interface DesiredTopology {
  readonly name: string
  readonly description: string
  readonly nodes: readonly NodeSpec[]
  readonly networks: readonly NetworkSpec[]
}

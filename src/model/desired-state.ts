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
  /** Of a device; of a Linux bridge when `kind` is bridge. */
  readonly interface: string
  /** A device unless given. */
  readonly kind?: 'bridge'
  /** The only MACs that may speak here, lower-case text; all unless given. */
  readonly macs?: readonly string[]
  /** The only addresses that may be used here, as `10.0.0.1/32`; all unless given. */
  readonly addresses?: readonly string[]
  /** Router advertisements may come from here. */
  readonly router?: true
}

/** What a network has unless it says otherwise. */
export const networkDefaults = { mac_limit: 4096, bum_limit: 10_000 } as const

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
  readonly mode: 'unicast' | 'multicast'
  /** To `group` in mode multicast, and only there. */
  readonly flood: 'replicate' | 'none' | 'group'
  /** Multicast address of the underlay, canonical text; with mode multicast. */
  readonly group?: string
  readonly learning: 'control' | 'dataplane' | 'static'
  readonly mac_ageing_s: number
  readonly arp: 'flood' | 'suppress'
  /** Largest inner L3 packet in bytes; `auto`: underlay MTU less the overhead. */
  readonly mtu: number | 'auto'
  /** MACs that may be learned on one port; 0: no limit. */
  readonly mac_limit: number
  /** BUM packets that one port may send, a second; 0: no limit. */
  readonly bum_limit: number
  readonly ra_guard: boolean
  readonly fast_path: 'auto' | 'off'
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

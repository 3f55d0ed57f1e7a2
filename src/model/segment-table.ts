import type { Ip } from './ip.js'
import type { Mac } from './mac.js'

/** Where a MAC of a segment lives, as the controller says. */
export interface FdbEntry {
  readonly vtep: Ip
  /** Declared in the topology: learning must not contradict it. */
  readonly static: boolean
}

/** What all members of a segment share, apart from its MACs. */
export interface SegmentSpec {
  readonly network: string
  readonly flood_replicate: boolean
  readonly learn_ports: boolean
  readonly mac_ageing_s: number
  /** Largest inner L3 packet, bytes; 0: what the underlay allows. */
  readonly mtu: number
  /** VTEPs that get BUM copies and from which frames are accepted; sorted, each once. */
  readonly members: readonly Ip[]
}

/** One segment as a node holds it. Never changed in place: an update makes a new one. */
export interface SegmentTable {
  readonly vni: number
  readonly revision: bigint
  /** Set hash of the entries (set-hash.ts). */
  readonly hash: bigint
  readonly spec: SegmentSpec
  readonly entries: ReadonlyMap<Mac, FdbEntry>
}

/** The part that is one node's alone. */
export interface NodeAssignment {
  readonly underlay_dev: string
  readonly vtep: Ip
  readonly udp_port: number
  readonly ports: readonly { readonly interface: string; readonly vni: number }[]
}

/** Everything one node is asked to program, complete up to `revision`. */
export interface NodeState {
  readonly revision: bigint
  readonly assignment: NodeAssignment
  readonly segments: ReadonlyMap<number, SegmentTable>
}

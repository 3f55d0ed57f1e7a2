import type { NodeState } from '../model/segment-table.js'
import type { Failure, MapState, PathState, ProgramState } from '../rpc/records.js'
import type { FastPath } from './reconcile/fast-path.js'
import type { PlacedPort } from './reconcile/placement.js'

/** The VXLAN device, while it is up. */
export interface Tunnel {
  readonly ifindex: number
  readonly mtu: number
}

/**
 * What this node came to, in one place: drivers write what they found, reports
 * and HTTP read it. Nothing here decides anything.
 */
export class NodeStatus {
  readonly startedAt = new Date()
  /** In the kernel, but for `failures`. */
  applied: NodeState | undefined
  failures: readonly Failure[] = []
  /** Largest Ethernet payload that the underlay leaves to a tunnel; unknown without underlay device. */
  tunnelMtu: number | undefined
  tunnel: Tunnel | undefined
  fastPath: FastPath = { state: 'off', reason: 'nothing is programmed yet' }
  ports: readonly PlacedPort[] = []
  programs: readonly ProgramState[] = []
  /** To other VTEPs, as probes found them. */
  paths: readonly PathState[] = []
  /** By map. */
  readonly maps = new Map<string, MapState>()
  /** Kernel objects found changed by somebody else and put right, by driver. */
  readonly repairs = new Map<string, number>()
  /** By map, entries that it gave up before their time, because it was full. */
  readonly evictions = new Map<string, number>()
  /** Addresses of tenants that the controller was not told of, because their MAC has too many. */
  addressesLeftOut = 0
  passes = 0
  /** Multicast groups that the underlay device is a member of for us. */
  groups = 0
  /** Taps that are open, and those of them that want what leaves by ports. */
  taps = 0
  deliveryTaps = 0

  repaired(driver: string, count: number): void {
    if (count > 0) this.repairs.set(driver, (this.repairs.get(driver) ?? 0) + count)
  }
}

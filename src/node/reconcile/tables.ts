import { WeftError } from '../../common/errors.js'
import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import type { Binding, FdbEntry, NodeState, SegmentSpec, SegmentTable } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import {
  FdbFlag,
  type FdbEntry as FdbValue,
  type NeighborEntry,
  NeighborFlag,
  type PortEntry,
  PortFlag,
  type PortKey,
  type SegmentEntry,
  SegmentFlag,
  type SegmentKey,
  segmentEntryLimits,
  type VtepEntry,
  type VtepKey,
} from '../bpf/abi.gen.js'
import { failureOf } from './failure.js'
import type { PlacedPort } from './placement.js'

const NO_ADDRESS = '::' as Ip

/** What one map shall hold, and what did not fit it. All of this file is pure. */
export interface Wanted<K, V> {
  readonly entries: readonly (readonly [K, V])[]
  readonly failures: readonly Failure[]
}

const SECOND_NS = 1e9
/** A port may send the BUM of so long at once. */
const BUM_BURST_NS = SECOND_NS

export function wantedPorts(state: NodeState, ports: readonly PlacedPort[]): Wanted<PortKey, PortEntry> {
  return { entries: ports.map((port) => [{ ifindex: port.ifindex }, portEntry(port, state)]), failures: [] }
}

function portEntry(port: PlacedPort, state: NodeState): PortEntry {
  const spec = state.segments.get(port.vni)?.spec
  const bumLimit = spec?.bum_limit ?? 0
  return {
    vni: port.vni,
    mtu: port.mtu,
    flags:
      (port.device.terminates ? PortFlag.PORT_TERMINATES : 0) |
      (port.router ? PortFlag.PORT_ROUTER : 0) |
      (port.allowed_macs.length > 0 ? PortFlag.PORT_FILTER_MAC : 0) |
      (port.allowed_ips.length > 0 ? PortFlag.PORT_FILTER_IP : 0),
    macLimit: spec?.mac_limit ?? 0,
    bumCostNs: bumLimit > 0 ? Math.ceil(SECOND_NS / bumLimit) : 0,
    bumBurstNs: bumLimit > 0 ? BUM_BURST_NS : 0,
  }
}

/**
 * Segments with their flood lists: the other members and the local ports. This
 * node's own VTEP is left out, or BUM would come back.
 */
export function wantedSegments(
  state: NodeState,
  ports: readonly PlacedPort[],
): Wanted<SegmentKey, SegmentEntry> {
  const failures: Failure[] = []
  const portsOf = new Map<number, number[]>()
  for (const { vni, ifindex } of ports) {
    const list = portsOf.get(vni)
    if (list) list.push(ifindex)
    else portsOf.set(vni, [ifindex])
  }
  const entries = [...state.segments.values()].map(({ vni, spec }) => {
    const what = `network ${spec.network}`
    const others = spec.members.filter((member) => member !== state.assignment.vtep)
    const local = (portsOf.get(vni) ?? []).sort((a, b) => a - b)
    const vtep = cut(others, segmentEntryLimits.vtep, 'VTEPs', what, failures)
    const port = cut(local, segmentEntryLimits.port, 'local ports', what, failures)
    const value = {
      flags: segmentFlags(spec),
      vtepCount: vtep.length,
      portCount: port.length,
      ageingS: spec.mac_ageing_s,
      group: spec.group ?? NO_ADDRESS,
      vtep,
      port,
    }
    return [{ vni }, value] as const
  })
  return { entries, failures }
}

function segmentFlags(spec: SegmentSpec): number {
  return (
    (spec.flood_replicate ? SegmentFlag.SEGMENT_FLOOD_REPLICATE : 0) |
    (spec.group ? SegmentFlag.SEGMENT_FLOOD_GROUP : 0) |
    (spec.learn_ports ? SegmentFlag.SEGMENT_LEARN_PORTS : 0) |
    (spec.learn_tunnels ? SegmentFlag.SEGMENT_LEARN_TUNNELS : 0) |
    (spec.suppress ? SegmentFlag.SEGMENT_SUPPRESS : 0) |
    (spec.ra_guard ? SegmentFlag.SEGMENT_RA_GUARD : 0) |
    (spec.fast_path ? SegmentFlag.SEGMENT_FAST_PATH : 0)
  )
}

/**
 * Whose tunnels are let in: members, and whoever has a MAC of the segment; never
 * this node itself. All of them once more under VNI 0, and this node too: no
 * tenant may send VXLAN to these.
 */
export function wantedVteps(state: NodeState): Wanted<VtepKey, VtepEntry> {
  const { vtep: self } = state.assignment
  const entries: (readonly [VtepKey, VtepEntry])[] = []
  const all = new Set<Ip>(self === NO_ADDRESS ? [] : [self])
  for (const table of state.segments.values()) {
    for (const vtep of segmentVteps(table)) {
      all.add(vtep)
      if (vtep !== self) entries.push([{ vni: table.vni, vtep }, { flags: 0 }])
    }
  }
  for (const vtep of all) entries.push([{ vni: 0, vtep }, { flags: 0 }])
  return { entries, failures: [] }
}

/** Members, and whoever has a MAC of the segment. */
export function segmentVteps(table: SegmentTable): ReadonlySet<Ip> {
  let vteps = vtepsSeen.get(table)
  if (!vteps) {
    vteps = new Set([...table.spec.members, ...vtepsOf(table.entries)])
    vtepsSeen.set(table, vteps)
  }
  return vteps
}

// Tables and their entries never change, so each is gone through once.
const vtepsSeen = new WeakMap<SegmentTable, ReadonlySet<Ip>>()
const seen = new WeakMap<SegmentTable['entries'], ReadonlySet<Ip>>()

/** With whom traffic is counted: the VTEPs that are let in, and the groups. */
export function countedTunnels(state: NodeState): VtepKey[] {
  const vteps = wantedVteps(state).entries.map(([key]) => key)
  const groups = [...state.segments.values()].flatMap(({ vni, spec }) =>
    spec.group ? [{ vni, vtep: spec.group }] : [],
  )
  return [...vteps, ...groups]
}

/** An FDB entry as the programs read it: what is at this node's own VTEP is local. */
export function fdbValue(entry: FdbEntry, self: Ip, revision: bigint): FdbValue {
  const flags = entry.static ? FdbFlag.FDB_STATIC : 0
  const place =
    entry.vtep === self ? { vtep: NO_ADDRESS, flags: flags | FdbFlag.FDB_LOCAL } : { vtep: entry.vtep, flags }
  return { ...place, revision: Number(revision) }
}

/** Whether the kernel holds what the controller says, whichever revision wrote it. */
export function sameFdbValue(entry: FdbEntry, self: Ip, actual: FdbValue): boolean {
  const want = fdbValue(entry, self, 0n)
  return want.flags === actual.flags && want.vtep === actual.vtep
}

export function neighborValue({ mac, router }: Binding, revision: bigint): NeighborEntry {
  return { mac, flags: router ? NeighborFlag.NEIGHBOR_ROUTER : 0, revision: Number(revision) }
}

/** Whether the kernel holds the binding, whichever revision wrote it. */
export function sameNeighborValue(binding: Binding, actual: NeighborEntry): boolean {
  const want = neighborValue(binding, 0n)
  return want.mac === actual.mac && want.flags === actual.flags
}

function vtepsOf(entries: ReadonlyMap<Mac, FdbEntry>): ReadonlySet<Ip> {
  let vteps = seen.get(entries)
  if (!vteps) {
    vteps = new Set([...entries.values()].map(({ vtep }) => vtep))
    seen.set(entries, vteps)
  }
  return vteps
}

function cut<T>(list: readonly T[], limit: number, name: string, what: string, failures: Failure[]): T[] {
  if (list.length > limit) {
    const error = new WeftError(
      'W-2106',
      `${what} has ${list.length} ${name}, a flood list takes ${limit}: the others get no broadcast`,
      { next: `split ${what}` },
    )
    failures.push(failureOf(error, what))
  }
  return list.slice(0, limit)
}

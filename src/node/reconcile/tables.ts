import { WeftError } from '../../common/errors.js'
import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import type { FdbEntry, NodeState, SegmentTable } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import {
  FdbFlag,
  type FdbEntry as FdbValue,
  type PortEntry,
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

/** What one map shall hold, and what did not fit it. All of this file is pure. */
export interface Wanted<K, V> {
  readonly entries: readonly (readonly [K, V])[]
  readonly failures: readonly Failure[]
}

export function wantedPorts(ports: readonly PlacedPort[]): Wanted<PortKey, PortEntry> {
  return { entries: ports.map(({ ifindex, vni, mtu }) => [{ ifindex }, { vni, mtu }]), failures: [] }
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
    const flags =
      (spec.flood_replicate ? SegmentFlag.SEGMENT_FLOOD_REPLICATE : 0) |
      (spec.learn_ports ? SegmentFlag.SEGMENT_LEARN_PORTS : 0)
    return [{ vni }, { flags, vtepCount: vtep.length, portCount: port.length, vtep, port }] as const
  })
  return { entries, failures }
}

/** Whose tunnels are let in: members, and whoever has a MAC of the segment; never this node itself. */
export function wantedVteps(state: NodeState): Wanted<VtepKey, VtepEntry> {
  const entries: (readonly [VtepKey, VtepEntry])[] = []
  for (const table of state.segments.values()) {
    for (const vtep of new Set([...table.spec.members, ...vtepsOf(table.entries)])) {
      if (vtep !== state.assignment.vtep) entries.push([{ vni: table.vni, vtep }, { flags: 0 }])
    }
  }
  return { entries, failures: [] }
}

/** An FDB entry as the programs read it: what is at this node's own VTEP is local. */
export function fdbValue(entry: FdbEntry, self: Ip): FdbValue {
  const flags = entry.static ? FdbFlag.FDB_STATIC : 0
  return entry.vtep === self
    ? { vtep: '::' as Ip, flags: flags | FdbFlag.FDB_LOCAL }
    : { vtep: entry.vtep, flags }
}

/** Whether the kernel holds what the controller says. */
export function sameFdbValue(entry: FdbEntry, self: Ip, actual: FdbValue): boolean {
  const want = fdbValue(entry, self)
  return want.flags === actual.flags && want.vtep === actual.vtep
}

// The entries of a table never change, so each table is gone through once.
const seen = new WeakMap<SegmentTable['entries'], ReadonlySet<Ip>>()

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

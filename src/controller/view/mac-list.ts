import { formatMac, type Mac } from '../../model/mac.js'
import type { MacEntry } from '../control.js'
import type { ClusterView } from './cluster-view.js'
import type { SegmentView } from './projection.js'

const MOVED_S = 60

/** PURE: every MAC that the nodes are told of, by VNI, then MAC. */
export function* listMacs(
  view: ClusterView,
  opts: { nowS: number; frozen: (vni: number, mac: Mac) => boolean },
): Generator<MacEntry> {
  for (const vni of [...view.segments.keys()].sort((a, b) => a - b)) {
    const segment = view.segments.get(vni)!
    for (const mac of [...(view.tables.get(vni)?.entries.keys() ?? [])].sort((a, b) => a - b)) {
      yield declaredMac(vni, segment, mac) ?? learnedMac(view, vni, segment, mac, opts)
    }
  }
}

function declaredMac(vni: number, segment: SegmentView, mac: Mac): MacEntry | undefined {
  const declared = segment.declared.get(mac)
  if (!declared) return undefined
  const { spec, entry } = declared
  const remote = spec.remote !== undefined
  return {
    network: segment.network.name,
    vni,
    mac: formatMac(mac),
    type: remote ? 'remote' : 'static',
    ...(spec.node === undefined ? {} : { node: spec.node }),
    vtep: entry.vtep,
    learned: 'file',
    seq: 0,
    ips: spec.ip === undefined ? [] : [spec.ip],
    flags: remote ? 'SE' : 'S',
  }
}

function learnedMac(
  view: ClusterView,
  vni: number,
  segment: SegmentView,
  mac: Mac,
  { nowS, frozen }: { nowS: number; frozen: (vni: number, mac: Mac) => boolean },
): MacEntry {
  const owner = view.learned.owners(vni).get(mac)!
  const sinceS = Math.max(0, nowS - owner.since)
  const node = segment.nodes.get(owner.vtep)
  return {
    network: segment.network.name,
    vni,
    mac: formatMac(mac),
    type: 'port',
    ...(node === undefined ? {} : { node }),
    interface: owner.interface,
    vtep: owner.vtep,
    learned: 'control',
    seq: owner.seq,
    ips: owner.addresses.map(({ ip }) => ip),
    since_s: sinceS,
    flags: (owner.seq > 0 && sinceS < MOVED_S ? 'M' : '') + (frozen(vni, mac) ? 'D' : ''),
  }
}

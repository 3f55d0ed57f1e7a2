import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import type { Binding, FdbEntry } from '../../model/segment-table.js'
import type { FdbKey, FdbEntry as FdbValue, NeighborEntry, NeighborKey } from '../bpf/abi.gen.js'
import { fdbValue, neighborValue, sameFdbValue, sameNeighborValue } from '../reconcile/tables.js'
import type { SegmentMapLayout } from './segment-map.js'

/** Where each MAC is. */
export const fdbLayout: SegmentMapLayout<Mac, FdbEntry, FdbKey, FdbValue> = {
  name: 'fdb',
  itemsOf: ({ entries }) => entries,
  keyOf: (vni, mac) => ({ vni, mac }),
  idOf: ({ vni, mac }) => ({ vni, id: mac }),
  encode: fdbValue,
  sameItem: (a, b) => a.vtep === b.vtep && a.static === b.static,
  holds: sameFdbValue,
}

/** Which MAC has each address. */
export const neighborsLayout: SegmentMapLayout<Ip, Binding, NeighborKey, NeighborEntry> = {
  name: 'neighbors',
  itemsOf: ({ bindings }) => bindings,
  keyOf: (vni, ip) => ({ vni, ip }),
  idOf: ({ vni, ip }) => ({ vni, id: ip }),
  encode: (binding, _, revision) => neighborValue(binding, revision),
  sameItem: (a, b) => a.mac === b.mac && a.router === b.router,
  holds: (binding, _, value) => sameNeighborValue(binding, value),
}

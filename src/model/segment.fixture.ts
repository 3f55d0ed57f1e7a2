import type { NetworkSpec } from './desired-state.js'
import type { AssignedPort, SegmentSpec } from './segment-table.js'

/** For tests: a segment with nothing special about it, as before any option. */
export const plainSpec: Omit<SegmentSpec, 'network' | 'members'> = {
  flood_replicate: true,
  group: undefined,
  learn_ports: true,
  claim_macs: true,
  learn_tunnels: false,
  suppress: false,
  ra_guard: false,
  fast_path: false,
  mac_limit: 0,
  bum_limit: 0,
  mac_ageing_s: 300,
  mtu: 0,
}

/** For tests: a device that joins a segment, with nothing special about it. */
export function plainPort(name: string, vni: number): AssignedPort {
  return { interface: name, vni, kind: 'device', router: false, allowed_macs: [], allowed_ips: [] }
}

/** For tests: a network with nothing special about it. */
export const plainNetwork: Omit<NetworkSpec, 'name' | 'vni'> = {
  mode: 'unicast',
  flood: 'replicate',
  learning: 'control',
  mac_ageing_s: 300,
  arp: 'flood',
  mtu: 'auto',
  mac_limit: 0,
  bum_limit: 0,
  ra_guard: false,
  fast_path: 'auto',
  ports: [],
  static: [],
  remotes: [],
}

import type { Ip } from '../../model/ip.js'
import type { LearnedEntry, NodeConfig, PortEntry } from './abi.gen.js'

/** For tests: map values with nothing special about them. */
export const plainConfig: NodeConfig = {
  vxlanIfindex: 0,
  ttl: 64,
  underlayIfindex: 0,
  udpPort: 4789,
  flags: 0,
  vtep: '::' as Ip,
}

export function plainPortEntry(vni: number, mtu = 1450): PortEntry {
  return { vni, mtu, flags: 0, macLimit: 0, bumCostNs: 0, bumBurstNs: 0 }
}

/** A MAC that was heard on a port just now. */
export function learnedOnPort(ifindex: number): LearnedEntry {
  const now = Number(process.hrtime.bigint())
  return {
    vtep: '::' as Ip,
    ifindex,
    moves: 0,
    sinceNs: now,
    seenNs: now,
    fromVtep: '::' as Ip,
    fromIfindex: 0,
  }
}

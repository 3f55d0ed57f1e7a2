import { WeftError } from '../../common/errors.js'
import { type Ip, isIpv4 } from '../../model/ip.js'
import type { Failure } from '../../rpc/records.js'
import { type AllowedEntry, AllowedFlag, type AllowedIpKey, type AllowedMacKey } from '../bpf/abi.gen.js'
import { failureOf } from './failure.js'
import type { PlacedPort } from './placement.js'
import type { Wanted } from './tables.js'

/** For whom and into how much a table is made. */
export interface Room {
  /** For messages. */
  readonly node: string
  /** Entries that the map takes. */
  readonly most: number
}

const ALLOWED: AllowedEntry = { flags: 0 }
const IFINDEX_BITS = 32
const MAPPED_BITS = 96
/** IPv4 is kept mapped, in ::ffff:0:0/96: a prefix of IPv6 as wide as ::/0 does not mean it. */
const ALL_IPV4 = '0.0.0.0' as Ip

/** PURE: which MACs may speak on the ports that name any. */
export function wantedAllowedMacs(
  ports: readonly PlacedPort[],
  room: Room,
): Wanted<AllowedMacKey, AllowedEntry> {
  return admit(ports, room, 'MACs', ({ ifindex, allowed_macs: macs }) =>
    macs.map((mac) => [{ ifindex, mac }, ALLOWED] as const),
  )
}

/** PURE: which addresses may be used on the ports that name any. The prefix counts the bits of the ifindex. */
export function wantedAllowedIps(
  ports: readonly PlacedPort[],
  room: Room,
): Wanted<AllowedIpKey, AllowedEntry> {
  return admit(ports, room, 'addresses', ({ ifindex, allowed_ips: subnets }) => {
    if (subnets.length === 0) return []
    const prefixLength = IFINDEX_BITS + MAPPED_BITS
    const notIpv4 = [{ prefixLength, ifindex, ip: ALL_IPV4 }, { flags: AllowedFlag.ALLOWED_NOT }] as const
    const allowed = subnets.map((subnet) => [allowedIp(ifindex, subnet), ALLOWED] as const)
    return subnets.includes('0.0.0.0/0') ? allowed : [notIpv4, ...allowed]
  })
}

/** A port's list goes in whole or not at all: without it nobody may speak there, which is the safe side. */
function admit<K>(
  ports: readonly PlacedPort[],
  { node, most }: Room,
  kind: string,
  entriesOf: (port: PlacedPort) => readonly (readonly [K, AllowedEntry])[],
): Wanted<K, AllowedEntry> {
  const entries: (readonly [K, AllowedEntry])[] = []
  const failures: Failure[] = []
  for (const port of ports) {
    const list = entriesOf(port)
    if (entries.length + list.length <= most) {
      for (const entry of list) entries.push(entry)
      continue
    }
    const what = `port ${node}/${port.interface}`
    const message = `the ${kind} allowed on ${what} do not fit: the node's ports may name ${most} in all, so nobody may speak there`
    const next = 'name fewer of them, or subnets, in the topology'
    failures.push(failureOf(new WeftError('W-2106', message, { next }), what))
  }
  return { entries, failures }
}

function allowedIp(ifindex: number, subnet: string): AllowedIpKey {
  const [address, length] = subnet.split('/') as [Ip, string]
  const prefixLength = IFINDEX_BITS + (isIpv4(address) ? MAPPED_BITS : 0) + Number(length)
  return { prefixLength, ifindex, ip: address }
}

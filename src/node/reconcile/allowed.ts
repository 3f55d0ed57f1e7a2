import { type Ip, isIpv4 } from '../../model/ip.js'
import { type AllowedEntry, AllowedFlag, type AllowedIpKey, type AllowedMacKey } from '../bpf/abi.gen.js'
import type { PlacedPort } from './placement.js'
import type { Wanted } from './tables.js'

const ALLOWED: AllowedEntry = { flags: 0 }
const IFINDEX_BITS = 32
const MAPPED_BITS = 96
/** IPv4 is kept mapped, in ::ffff:0:0/96: a prefix of IPv6 as wide as ::/0 does not mean it. */
const ALL_IPV4 = '0.0.0.0' as Ip

/** PURE: which MACs may speak on the ports that name any. */
export function wantedAllowedMacs(ports: readonly PlacedPort[]): Wanted<AllowedMacKey, AllowedEntry> {
  const entries = ports.flatMap(({ ifindex, allowed_macs: macs }) =>
    macs.map((mac) => [{ ifindex, mac }, ALLOWED] as const),
  )
  return { entries, failures: [] }
}

/** PURE: which addresses may be used on the ports that name any. The prefix counts the bits of the ifindex. */
export function wantedAllowedIps(ports: readonly PlacedPort[]): Wanted<AllowedIpKey, AllowedEntry> {
  const entries = ports.flatMap(({ ifindex, allowed_ips: subnets }) => {
    if (subnets.length === 0) return []
    const prefixLength = IFINDEX_BITS + MAPPED_BITS
    const notIpv4 = [{ prefixLength, ifindex, ip: ALL_IPV4 }, { flags: AllowedFlag.ALLOWED_NOT }] as const
    const allowed = subnets.map((subnet) => [allowedIp(ifindex, subnet), ALLOWED] as const)
    return subnets.includes('0.0.0.0/0') ? allowed : [notIpv4, ...allowed]
  })
  return { entries, failures: [] }
}

function allowedIp(ifindex: number, subnet: string): AllowedIpKey {
  const [address, length] = subnet.split('/') as [Ip, string]
  const prefixLength = IFINDEX_BITS + (isIpv4(address) ? MAPPED_BITS : 0) + Number(length)
  return { prefixLength, ifindex, ip: address }
}

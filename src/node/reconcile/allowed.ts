import { type Ip, isIpv4 } from '../../model/ip.js'
import type { AllowedEntry, AllowedIpKey, AllowedMacKey } from '../bpf/abi.gen.js'
import type { PlacedPort } from './placement.js'
import type { Wanted } from './tables.js'

const ALLOWED: AllowedEntry = { flags: 0 }
const IFINDEX_BITS = 32
const MAPPED_BITS = 96

/** PURE: which MACs may speak on the ports that name any. */
export function wantedAllowedMacs(ports: readonly PlacedPort[]): Wanted<AllowedMacKey, AllowedEntry> {
  const entries = ports.flatMap(({ ifindex, allowed_macs: macs }) =>
    macs.map((mac) => [{ ifindex, mac }, ALLOWED] as const),
  )
  return { entries, failures: [] }
}

/** PURE: which addresses may be used on the ports that name any. The prefix counts the bits of the ifindex. */
export function wantedAllowedIps(ports: readonly PlacedPort[]): Wanted<AllowedIpKey, AllowedEntry> {
  const entries = ports.flatMap(({ ifindex, allowed_ips: subnets }) =>
    subnets.map((subnet) => {
      const [address, length] = subnet.split('/') as [Ip, string]
      const prefixLength = IFINDEX_BITS + (isIpv4(address) ? MAPPED_BITS : 0) + Number(length)
      return [{ prefixLength, ifindex, ip: address }, ALLOWED] as const
    }),
  )
  return { entries, failures: [] }
}

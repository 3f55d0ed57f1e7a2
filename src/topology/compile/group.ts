import ipaddr from 'ipaddr.js'
import { type Ip, isIpv4 } from '../../model/ip.js'

interface GroupProblem {
  readonly text: string
  readonly hint?: string
}

const sourceSpecific = ['232.0.0.0/8', 'ff30::/12'].map((cidr) => ipaddr.parseCIDR(cidr))

/** Why the underlay cannot carry a flood to the address; "<address> …". */
export function groupProblem(group: Ip, written: string): GroupProblem | undefined {
  const v4 = isIpv4(group)
  if (v4 && written.includes(':')) return { text: 'is an IPv4-mapped address; write it as IPv4' }
  const address = ipaddr.parse(group)
  const hint = groupHint(v4)
  if (address.range() !== 'multicast') return { text: 'is no multicast address', hint }
  if (isLinkLocalGroup(address)) {
    return { text: 'is a link-local group, which routers and switches keep for themselves', hint }
  }
  if (sourceSpecific.some((subnet) => address.kind() === subnet[0].kind() && address.match(subnet))) {
    return { text: 'is for source-specific multicast (RFC 4607), which any member cannot send to', hint }
  }
  return undefined
}

export function groupHint(v4: boolean): string {
  return v4 ? 'take one of 239.0.0.0/8, as 239.1.1.1' : 'take one of ff05::/16 or ff08::/16, as ff05::1'
}

/** 224.0.0.0/24, and IPv6 of no wider scope than the link (RFC 4291 2.7). */
function isLinkLocalGroup(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const [first, second, third] = address.toByteArray()
  if (address.kind() === 'ipv4') return first === 224 && second === 0 && third === 0
  return (second! & 15) <= 2
}

import ipaddr from 'ipaddr.js'

/** An underlay address as canonical text: `172.16.1.100`, `fd00::1`. IPv4 is never written mapped. */
export type Ip = string & { readonly __ip: unique symbol }

/**
 * Canonical text of an address that a schema has already checked.
 * ipaddr.js alone reads `010.1.1.1` as 8.1.1.1, so never pass it raw input.
 */
export function canonicalIp(checked: string): Ip {
  return ipaddr.process(checked).toString() as Ip
}

/** The 16 bytes of the ABI and of proto: IPv6, or IPv4 mapped (RFC 4291 2.5.5.2). */
export function ipToBytes(ip: Ip): Uint8Array {
  const address = ipaddr.parse(ip)
  const v6 = address.kind() === 'ipv4' ? (address as ipaddr.IPv4).toIPv4MappedAddress() : address
  return Uint8Array.from(v6.toByteArray())
}

/** Reads the 16 bytes of the ABI and of proto. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length !== 16) throw new RangeError(`an address is 16 bytes, not ${bytes.length}`)
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!)
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  return (isMapped ? bytes.subarray(12).join('.') : ip6Text(groups)) as Ip
}

/** RFC 5952: the first of the longest runs of zero groups, two at least, becomes `::`. */
function ip6Text(groups: readonly number[]): string {
  let start = 0
  let length = 1
  for (let at = 0, run = 0; at < 8; at++) {
    run = groups[at] === 0 ? run + 1 : 0
    if (run > length) {
      length = run
      start = at + 1 - run
    }
  }
  const hex = groups.map((group) => group.toString(16))
  if (length === 1) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

export function isIpv4(ip: Ip): boolean {
  return !ip.includes(':')
}

/**
 * Bytes that VXLAN adds to an inner L3 packet: inner Ethernet 14, VXLAN 8, UDP 8,
 * and IPv4 20 or IPv6 40 (RFC 7348 5): 50 or 70.
 */
export function vxlanOverhead(underlay: Ip): number {
  return 14 + 8 + 8 + (isIpv4(underlay) ? 20 : 40)
}

/** Whether a station can have it: no group, broadcast, loopback or unspecified address. */
export function isStationIp(ip: Ip): boolean {
  return !['multicast', 'broadcast', 'unspecified', 'loopback'].includes(ipaddr.parse(ip).range())
}

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
  return ipaddr.process(ipaddr.fromByteArray([...bytes]).toString()).toString() as Ip
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

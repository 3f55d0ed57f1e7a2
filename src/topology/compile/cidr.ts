import ipaddr from 'ipaddr.js'
import { canonicalIp, type Ip } from '../../model/ip.js'

/** An address in its subnet. */
export interface Cidr {
  readonly ip: Ip
  readonly prefix: number
  /** 32 or 128. */
  readonly bits: 32 | 128
  readonly value: bigint
  /** First and last address of the subnet. */
  readonly first: bigint
  readonly last: bigint
}

/** Reads `172.16.1.100/24`; the schema has checked the text. */
export function readCidr(checked: string): Cidr {
  const slash = checked.lastIndexOf('/')
  const address = ipaddr.parse(checked.slice(0, slash))
  const bits = address.kind() === 'ipv4' ? 32 : 128
  const prefix = Number(checked.slice(slash + 1))
  const value = address.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const hosts = (1n << BigInt(bits - prefix)) - 1n
  const first = value - (value & hosts)
  return { ip: canonicalIp(checked.slice(0, slash)), prefix, bits, value, first, last: first + hosts }
}

/** The address `offset` after the first of the subnet; undefined when a host cannot have it. */
export function addressAt(subnet: Cidr, offset: number): Ip | undefined {
  const value = subnet.first + BigInt(offset)
  if (value > subnet.last || hostProblem({ ...subnet, value }) !== undefined) return undefined
  return ipOf(value, subnet.bits)
}

export function subnetText(cidr: Cidr): string {
  return `${ipOf(cidr.first, cidr.bits)}/${cidr.prefix}`
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return a.bits === b.bits && a.first <= b.last && b.first <= a.last
}

/**
 * Why a host cannot have the address as its place in the subnet: the ends of an
 * IPv4 subnet are taken, but not of a /31 (RFC 3021) or /32.
 */
export function hostProblem(
  cidr: Pick<Cidr, 'value' | 'first' | 'last' | 'bits' | 'prefix'>,
): string | undefined {
  if (cidr.bits - cidr.prefix < 2) return undefined
  if (cidr.value === cidr.first) {
    return cidr.bits === 32 ? 'is the network address of its subnet' : 'is the anycast address of its subnet'
  }
  if (cidr.bits === 32 && cidr.value === cidr.last) return 'is the broadcast address of its subnet'
  return undefined
}

/** Why no interface can have the address, whatever its subnet. */
export function stationProblem(ip: Ip, written: string): string | undefined {
  if (written.includes(':') && !ip.includes(':')) return 'is an IPv4-mapped address; write it as IPv4'
  switch (ipaddr.parse(ip).range()) {
    case 'unspecified':
      return 'is the unspecified address'
    case 'broadcast':
      return 'is the broadcast address'
    case 'multicast':
      return 'is a multicast address'
    case 'loopback':
      return 'is a loopback address'
    default:
      return undefined
  }
}

export function isLinkLocal(ip: Ip): boolean {
  return ipaddr.parse(ip).range() === 'linkLocal'
}

function ipOf(value: bigint, bits: 32 | 128): Ip {
  const bytes: number[] = []
  for (let shift = bits - 8; shift >= 0; shift -= 8) bytes.push(Number((value >> BigInt(shift)) & 255n))
  return canonicalIp(ipaddr.fromByteArray(bytes).toString())
}

/** What a port lets pass, as `10.0.0.1/32`; or why it cannot be that. */
export function guardedAddress(checked: string): { subnet: string; problem?: string; hint?: string } {
  const single = !checked.includes('/')
  const cidr = readCidr(single ? `${checked}/${checked.includes(':') ? 128 : 32}` : checked)
  const subnet = subnetText(cidr)
  if (single || cidr.prefix === cidr.bits) {
    const problem = stationProblem(cidr.ip, checked)
    return { subnet, ...(problem ? { problem } : {}) }
  }
  if (cidr.value !== cidr.first) {
    const hint = `did you mean "${subnet}", or "${cidr.ip}" alone?`
    return { subnet, problem: 'is an address in a subnet, not a subnet', hint }
  }
  const problem = cidr.prefix < 4 ? undefined : stationProblem(cidr.ip, checked)
  return { subnet, ...(problem ? { problem } : {}) }
}

/** Whether one of the subnets has the address. */
export function covers(subnets: readonly string[], ip: Ip): boolean {
  const host = readCidr(`${ip}/${ip.includes(':') ? 128 : 32}`)
  return subnets.some((subnet) => overlap(readCidr(subnet), host))
}

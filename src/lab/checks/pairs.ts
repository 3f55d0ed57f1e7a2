import { BlockList } from 'node:net'
import { eachLimited } from '../command.js'
import type { Endpoint, Finding } from './check.js'

/** One endpoint asked to reach one address of another. */
export interface Pair {
  readonly from: Endpoint
  readonly to: Endpoint
  /** Without prefix length. */
  readonly address: string
}

/** All ordered pairs within one network, once for each address of one that is on a subnet of the other. */
export function pairsOf(network: string, endpoints: readonly Endpoint[]): Pair[] {
  const members = endpoints.filter((endpoint) => endpoint.network === network)
  return members.flatMap((from) =>
    members
      .filter((to) => to !== from)
      .flatMap((to) => sharedAddresses(from, to).map((address) => ({ from, to, address }))),
  )
}

export function isV6(address: string): boolean {
  return address.includes(':')
}

/** Without the prefix length. */
export function hostPart(cidr: string): string {
  return cidr.split('/')[0]!
}

/** Tries every pair, some side by side, and sums up: `6/6 pairs`, or which ones failed. */
export async function judgePairs(
  pairs: readonly Pair[],
  probe: (pair: Pair) => Promise<string | undefined>,
): Promise<Finding> {
  if (pairs.length === 0) return { ok: false, detail: 'no two endpoints to try' }
  const failures: string[] = []
  await eachLimited(pairs, 8, async (pair) => {
    const failure = await probe(pair)
    if (failure) failures.push(`${pair.from.name} → ${pair.to.name} (${pair.address}): ${failure}`)
  })
  const passed = pairs.length - failures.length
  const detail = [`${passed}/${pairs.length} pairs`, ...failures.slice(0, 3)].join('; ')
  return { ok: failures.length === 0, detail }
}

function sharedAddresses(from: Endpoint, to: Endpoint): string[] {
  const onLink = new BlockList()
  for (const cidr of from.addresses) {
    const [address = '', length] = cidr.split('/')
    onLink.addSubnet(address, Number(length), familyOf(address))
  }
  const own = new Set(from.addresses.map(hostPart))
  return to.addresses
    .map(hostPart)
    .filter((address) => onLink.check(address, familyOf(address)) && !own.has(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isV6(address) ? 'ipv6' : 'ipv4'
}

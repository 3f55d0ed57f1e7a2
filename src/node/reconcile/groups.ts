import { WeftError } from '../../common/errors.js'
import { type Ip, isIpv4 } from '../../model/ip.js'
import type { NodeState } from '../../model/segment-table.js'

/** What the kernel allows the one socket that holds all memberships without a socket of their own. */
export interface GroupLimits {
  /** net.ipv4.igmp_max_memberships */
  readonly memberships: number
  /** net.core.optmem_max, bytes */
  readonly memory: number
}

/** Of `optmem_max`, at least what the kernel takes for a membership: 48 (IPv4) or 56 (IPv6) on 64 bits. */
const BYTES_OF_A_GROUP = 64

/** PURE: the multicast groups that this node's segments flood to, each once. */
export function wantedGroups({ segments }: NodeState): ReadonlySet<Ip> {
  return new Set([...segments.values()].flatMap(({ spec }) => spec.group ?? []))
}

/** PURE: why the kernel took no more, and the command that helps. `needed` counts those that were joined too. */
export function notJoined(
  refused: readonly Ip[],
  dev: string,
  needed: number,
  { memberships, memory }: GroupLimits,
): WeftError {
  const others = refused.length > 1 ? ` and ${refused.length - 1} more` : ''
  const isCount = isIpv4(refused[0]!) && needed > memberships
  const [name, value] = isCount
    ? ['net.ipv4.igmp_max_memberships', memberships]
    : ['net.core.optmem_max', memory]
  const wanted = isCount ? needed : Math.max(needed * BYTES_OF_A_GROUP, memory * 2)
  const message = `${dev} cannot join ${refused[0]}${others}: ${name} is ${value}, ${needed} groups are needed`
  return new WeftError('W-2114', message, { next: `sysctl -w ${name}=${wanted}` })
}

import { readFileSync } from 'node:fs'
import { WeftError } from '../../common/errors.js'
import { type Ip, isIpv4 } from '../../model/ip.js'
import type { NodeAssignment, NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import { type Group, joinGroup, leaveGroup, listGroups } from '../netlink/group.js'
import { failureOf } from '../reconcile/failure.js'
import { notJoined, wantedGroups } from '../reconcile/groups.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { NodeStatus } from '../status.js'
import type { Links } from './links.js'

/** Of one socket; all memberships of a namespace that need no socket share one of the kernel's. */
const MEMBERSHIPS = '/proc/sys/net/ipv4/igmp_max_memberships'
const MEMORY = '/proc/sys/net/core/optmem_max'

/**
 * Joins the groups of the segments on the underlay device, and leaves those that
 * are not wanted any more. Memberships outlive the daemon: BUM goes on arriving.
 */
export class GroupDriver implements Driver<NodeState> {
  readonly name = 'group'
  /** What is joined; unknown until read. */
  private joined: ReadonlyMap<string, Group> | undefined
  /** Of the links: an address may have gone without its device. */
  private readAt = -1

  constructor(
    private readonly links: Links,
    private readonly status: NodeStatus,
  ) {}

  async apply(state: NodeState, { resync }: { resync: boolean }): Promise<Failure[]> {
    await this.links.refresh() // or a device that was not listed would cost its memberships
    const underlay = this.links.byName.get(state.assignment.underlay_dev)
    const groups = underlay ? [...wantedGroups(state)] : []
    const wanted = new Map(
      groups.map((group) => [
        keyOf({ ifindex: underlay!.ifindex, group }),
        { ifindex: underlay!.ifindex, group },
      ]),
    )
    const before = this.joined
    const { changes } = this.links
    if (!resync && before && this.readAt === changes && sameKeys(before, wanted)) return []
    this.joined = undefined // not known until all is done
    const actual = new Map((await listGroups()).map((group) => [keyOf(group), group]))
    for (const [key, group] of actual) if (!wanted.has(key)) await leaveGroup(group)
    const failures = await this.join(wanted, actual, state.assignment)
    if (before) this.status.repaired(this.name, lost(before, actual))
    if (failures.length === 0) this.joined = wanted
    this.readAt = changes
    return failures
  }

  /** Leaves all groups. */
  async remove(): Promise<void> {
    for (const group of await listGroups()) await leaveGroup(group)
  }

  private async join(
    wanted: ReadonlyMap<string, Group>,
    actual: ReadonlyMap<string, Group>,
    { underlay_dev: dev }: NodeAssignment,
  ): Promise<Failure[]> {
    const failures: Failure[] = []
    const refused: Ip[] = []
    for (const [key, group] of wanted) {
      // An IPv6 group that is there is joined again: its routes may be gone.
      if (actual.has(key) && isIpv4(group.group)) continue
      try {
        await joinGroup(group)
      } catch (err) {
        if (isOverLimit(err)) refused.push(group.group)
        else failures.push(failureOf(err, `group ${group.group}`))
      }
    }
    this.status.groups = wanted.size - failures.length - refused.length
    if (refused.length > 0) {
      const limits = { memberships: readNumber(MEMBERSHIPS), memory: readNumber(MEMORY) }
      failures.push(failureOf(notJoined(refused, dev, wanted.size, limits), `underlay ${dev}`))
    }
    return failures
  }
}

/** IPv4 says ENOBUFS of both limits, IPv6 has the second alone. */
function isOverLimit(err: unknown): boolean {
  const errno = err instanceof WeftError && err.details['errno']
  return errno === 'ENOBUFS' || errno === 'ENOMEM'
}

function readNumber(path: string): number {
  return Number(readFileSync(path, 'utf8'))
}

/** How many were joined before and are not now. */
function lost(before: ReadonlyMap<string, Group>, actual: ReadonlyMap<string, Group>): number {
  return [...before.keys()].filter((key) => !actual.has(key)).length
}

function keyOf({ ifindex, group }: Group): string {
  return `${ifindex} ${group}`
}

function sameKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key))
}

import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { notJoined, wantedGroups } from './groups.js'
import { nodeState } from './node-state.fixture.js'

it('wants the group of each segment once', () => {
  const segments = ['239.1.1.1', '239.1.1.2', '239.1.1.1', undefined].map((group, i) => ({
    vni: i + 1,
    spec: { group: group as Ip | undefined },
  }))
  expect([...wantedGroups(nodeState({ segments }))]).toEqual(['239.1.1.1', '239.1.1.2'])
})

describe('notJoined', () => {
  const limits = { memberships: 20, memory: 131_072 }
  const [v4, v6] = ['239.1.1.1', 'ff05::1'] as Ip[]

  it('names the limit of memberships while that is what is too small', () => {
    const error = notJoined([v4!, v4!], 'eth0', 24, limits)
    expect(error.message).toBe(
      'eth0 cannot join 239.1.1.1 and 1 more: net.ipv4.igmp_max_memberships is 20, 24 groups are needed',
    )
    expect(error.next).toBe('sysctl -w net.ipv4.igmp_max_memberships=24')
  })

  it('names the memory of a socket otherwise, and as much of it as is needed', () => {
    const error = notJoined([v4!], 'eth0', 3000, { ...limits, memberships: 4000 })
    expect(error.message).toContain('net.core.optmem_max is 131072, 3000 groups are needed')
    expect(error.next).toBe('sysctl -w net.core.optmem_max=262144')
    expect(notJoined([v6!], 'eth0', 5000, limits).next).toBe('sysctl -w net.core.optmem_max=320000')
  })
})

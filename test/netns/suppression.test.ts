import { beforeAll, describe, expect, it } from 'vitest'
import type { MacItem } from '../../src/api/items.js'
import { announce } from '../../src/lab/move.js'
import { eventually, labUp } from './harness.js'
import { capture } from './traffic.js'

const lab = labUp('bridge-unicast.yaml', 'wt-suppress')
const members = ['blue0', 'blue1', 'blue2']

describe('with ARP and ND suppressed, once tables are in,', () => {
  beforeAll(async () => {
    for (const from of members) {
      await lab().must(from, 'ip', 'neigh', 'flush', 'dev', 'eth0') // so that each is asked for, and answers
      for (const to of members.filter((name) => name !== from))
        for (const family of [4, 6] as const)
          expect(await lab().ping(from, lab().address(to, family))).toBe(3)
    }
    await eventually('the addresses of all are known', async () => {
      const macs = await lab().list<MacItem>('macs', { network: 'blue' })
      return members.every((name) =>
        ([4, 6] as const).every((family) => macs.some(({ ip }) => ip.includes(lab().address(name, family)))),
      )
    })
  })

  it('resolving an address anew puts nothing on the underlay', async () => {
    const crossed = await capture(lab(), 'host0', 'eth0', 'udp port 4789', async () => {
      for (const to of ['blue1', 'blue2'])
        for (const family of [4, 6] as const) {
          const address = lab().address(to, family)
          for (let n = 0; n < 5; n++) {
            await lab().run('blue0', 'ip', 'neigh', 'del', address, 'dev', 'eth0')
            expect(await lab().ping('blue0', address, { count: 1 })).toBe(1)
          }
          const neighbour = await lab().must('blue0', 'ip', 'neigh', 'show', address)
          expect(neighbour).toContain(lab().endpoint(to).mac)
        }
    })
    expect(crossed.match(/ICMP echo request/g)?.length).toBeGreaterThanOrEqual(10) // the capture works
    expect(crossed).not.toMatch(/Request who-has|ff02::1:ff.*neighbor solicitation/)
  })

  it('an announcement still reaches everybody', async () => {
    const seen = await capture(lab(), 'blue2', 'eth0', 'arp or icmp6', () =>
      announce(lab().endpoint('blue0')),
    )
    const { mac } = lab().endpoint('blue0')
    expect(seen).toMatch(new RegExp(`${mac}.*who-has 99\\.1\\.0\\.11 .*tell 99\\.1\\.0\\.11`))
    expect(seen).toMatch(
      new RegExp(`${mac}.*> ff02::1: .*neighbor advertisement[\\s\\S]*tgt is fd00:99:1::b`),
    )
  })

  it('duplicate address detection still crosses, and still finds the duplicate', async () => {
    const taken = lab().address('blue2', 6)
    const seen = await capture(lab(), 'blue2', 'eth0', 'icmp6', async () => {
      await lab().must('blue0', 'ip', 'addr', 'add', `${taken}/64`, 'dev', 'eth0')
      await eventually('the duplicate is found', async () =>
        (await lab().must('blue0', 'ip', 'addr', 'show', 'dev', 'eth0')).includes('dadfailed'),
      )
    })
    await lab().must('blue0', 'ip', 'addr', 'del', `${taken}/64`, 'dev', 'eth0')
    expect(seen).toMatch(/:: > ff02::1:ff00:d: .*neighbor solicitation/)
  })

  it('a question that no table answers still crosses, once', async () => {
    const seen = await capture(lab(), 'blue2', 'eth0', 'arp', () =>
      lab().run('blue0', 'ping', '-c', '1', '-W', '0.2', '99.1.0.200'),
    )
    expect(seen.match(/who-has 99\.1\.0\.200/g)).toHaveLength(1)
  })
})

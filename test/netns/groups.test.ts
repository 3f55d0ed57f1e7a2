import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { NodeItem } from '../../src/api/items.js'
import { eventually, labUp, weft } from './harness.js'

/** More than the 20 groups that Linux lets a host join unless told otherwise. */
const count = 24
const lab = labUp('quickstart.yaml', 'wt-groups', () => topology('wt-groups', count))

describe('two hosts in more multicast groups than the kernel allows by default', () => {
  it('are members of each, on the underlay', async () => {
    for (const host of ['host0', 'host1']) {
      const joined = await lab().must(host, 'ip', 'maddress', 'show', 'dev', 'eth0')
      for (let n = 0; n < count; n++) expect(joined).toMatch(new RegExp(`inet +239\\.1\\.1\\.${n + 1}\\b`))
    }
  })

  it('carry every network by its own group', async () => {
    const pings = Array.from({ length: count }, (_, n) => lab().ping(`a${n}`, `10.0.${n}.2`))
    expect(await Promise.all(pings)).toEqual(Array.from({ length: count }, () => 3))
  })

  it('say how to allow more, when a group more is wanted than is allowed', async () => {
    await lab().must('host0', 'sh', '-c', `echo ${count} >/proc/sys/net/ipv4/igmp_max_memberships`)
    await lab().must('host0', 'ip', 'link', 'add', `a${count}`, 'type', 'bridge')
    await lab().must('host1', 'ip', 'link', 'add', `b${count}`, 'type', 'bridge')
    await apply(count + 1)
    await eventually('host0 says so', async () => {
      const nodes = await lab().list<NodeItem>('nodes')
      const failures = nodes.find(({ name }) => name === 'host0')?.failures ?? []
      return failures.some(
        ({ code, next }) => code === 'W-2114' && /igmp_max_memberships=\d+/.test(next ?? ''),
      )
    })
    for (let n = 0; n < count; n++) expect(await lab().ping(`a${n}`, `10.0.${n}.2`, { count: 1 })).toBe(1)
  })

  it('join it once they may', async () => {
    await lab().must('host0', 'sh', '-c', 'echo 100 >/proc/sys/net/ipv4/igmp_max_memberships')
    await lab().allReady()
    const joined = await lab().must('host0', 'ip', 'maddress', 'show', 'dev', 'eth0')
    expect(joined).toContain(`239.1.1.${count + 1}`)
  })
})

function topology(name: string, networks: number): string {
  const each = (line: (n: number) => string) => Array.from({ length: networks }, (_, n) => line(n)).join('\n')
  return `apiVersion: weft/v1
kind: Topology
name: ${name}
node_sets:
  host: { count: 2, underlay: { dev: eth0, subnet: 172.16.1.0/24, first: 100 } }
networks:
${each((n) => `  net${n}: { vni: ${10000 + n}, mode: multicast, group: 239.1.1.${n + 1}, ports: [${port(0, `a${n}`)}, ${port(1, `b${n}`)}] }`)}
lab:
  endpoints:
${each((n) => `    a${n}: { attach: { node: host0, interface: a${n} }, address: 10.0.${n}.1/24 }\n    b${n}: { attach: { node: host1, interface: b${n} }, address: 10.0.${n}.2/24 }`)}
`
}

function port(host: number, device: string): string {
  return `{ node: host${host}, interface: ${device} }`
}

async function apply(networks: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-groups-'))
  try {
    writeFileSync(join(directory, 'more.yaml'), topology(lab().name, networks))
    const { code, stderr } = await weft(lab(), 'apply', '-f', join(directory, 'more.yaml'))
    expect(stderr).toBe('')
    expect(code).toBe(0)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

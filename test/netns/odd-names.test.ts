import { describe, expect, it } from 'vitest'
import type { NodeItem } from '../../src/api/items.js'
import { runCheck } from '../../src/lab/checks/check.js'
import { ipBatch } from '../../src/lab/ip-batch.js'
import { parseLabSource } from '../../src/lab/topology-file.js'
import { eventually, labUp, topologyText, weft } from './harness.js'

const lab = labUp('./odd-names.yaml', 'wt-odd')

describe('nodes with dots in their names and interfaces of one letter', () => {
  const { lab: spec } = parseLabSource('odd-names.yaml', topologyText('./odd-names.yaml'))

  it.each(spec.checks)('$name', async (check) => {
    const outcome = await runCheck(check, lab().record, new AbortController().signal)
    expect(outcome).toMatchObject({ ok: true })
  })

  it('are described by the CLI', async () => {
    const { code, stdout } = await weft(lab(), 'describe', 'node', 'rack1.host-0.example')
    expect(code).toBe(0)
    expect(stdout).toContain('rack1.host-0.example')
  })

  it('find their pins again when the daemon starts again', async () => {
    const killed = await lab().kill('node-rack1.host-0.example')
    await lab().start(killed)
    await eventually('both are ready', async () => {
      const nodes = await lab().list<NodeItem>('nodes')
      return nodes.every(({ state }) => state === 'ready')
    })
    expect(await lab().ping('a', lab().address('b.b'))).toBe(3)
  })
})

describe('the namespaces of a lab', () => {
  it.each(['fabric', 'rack1.host-0.example', 'a'])('%s bridges past iptables', async (member) => {
    const files = '/proc/sys/net/bridge/bridge-nf-call-'
    const { stdout } = await lab().run(member, 'sh', '-c', `cat ${files}*tables 2>&-`)
    expect(stdout.split('\n').filter((value) => value !== '' && value !== '0')).toEqual([])
  })

  it('name the line that ip(8) cannot do', async () => {
    const failed = ipBatch(['link set dev lo up', 'link set dev nobody up', 'link set dev lo down'], {
      namespace: lab().namespace('a'),
    })
    await expect(failed).rejects.toMatchObject({
      code: 'W-4005',
      message: `ip -n ${lab().namespace('a')} link set dev nobody up failed: Cannot find device "nobody"`,
    })
  })
})

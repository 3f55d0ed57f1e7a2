import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ApplyResult } from '../../src/api/topology.js'
import { labDirectory } from '../../src/lab/names.js'
import { formatMac, type Mac } from '../../src/model/mac.js'
import { abiDigest, maps } from '../../src/node/bpf/abi.gen.js'
import { BpfMap } from '../../src/node/bpf/map.js'
import { labUp, topologyText, weft } from './harness.js'

const lab = labUp('bridge-unicast.yaml', 'wt-bulk')
const count = 1000

describe(`${count} static MACs in one apply`, () => {
  it('are in the kernel of every node when apply --wait returns, which tells the time of each stage', async () => {
    const file = `${labDirectory('wt-bulk')}/bulk.yaml`
    writeFileSync(
      file,
      withStatics(topologyText('bridge-unicast.yaml')).replace(/^name: .*$/m, 'name: wt-bulk'),
    )
    const { code, stdout, stderr } = await weft(lab(), 'apply', '-f', file, '--wait')
    process.stdout.write(stdout)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    for (const stage of ['stored', 'sent', 'programmed'])
      expect(stdout).toMatch(new RegExp(`^${stage} +[\\d.]+ ms`, 'm'))

    for (const host of ['host0', 'host1', 'host2']) {
      const path = `${labDirectory('wt-bulk')}/bpf/${host}/${abiDigest.slice(0, 12)}/maps/fdb`
      using fdb = BpfMap.open(path, maps.fdb)
      const bulk = fdb.entries().filter(([{ mac }]) => mac >= first && mac < first + count)
      expect(bulk).toHaveLength(count)
    }
    expect(await lab().ping('r0', lab().address('r2'))).toBe(3)
  })

  it('are listed, and gone again after the file without them', async () => {
    const macs = () => lab().list<{ mac: string }>('macs', { network: 'red', type: 'static' })
    expect(await macs()).toHaveLength(count + 1)
    const text = topologyText('bridge-unicast.yaml').replace(/^name: .*$/m, 'name: wt-bulk')
    await lab().client.request<ApplyResult>('PUT', '/api/v1/topologies/wt-bulk', {
      body: text,
      query: { wait: 'programmed' },
    })
    expect(await macs()).toHaveLength(1)
    const path = `${labDirectory('wt-bulk')}/bpf/host0/${abiDigest.slice(0, 12)}/maps/fdb`
    using fdb = BpfMap.open(path, maps.fdb)
    expect(fdb.entries().filter(([{ mac }]) => mac >= first && mac < first + count)).toHaveLength(0)
  })
})

const first = 0x02_10_00_00_00_00

function withStatics(text: string): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const mac = formatMac((first + i) as Mac)
    return `      - { mac: "${mac}", node: host${i % 3} }`
  })
  return text.replace(/^ {4}static:$/m, `    static:\n${lines.join('\n')}`)
}

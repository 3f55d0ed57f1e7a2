import { expect, it } from 'vitest'
import type { Trace } from '../../src/api/frames.js'
import type { MacItem } from '../../src/api/items.js'
import { eventually, labUp, weft } from './harness.js'

const lab = labUp('bridge-unicast.yaml', 'wt-trace')

/** All stations have spoken, so that everybody is known. */
async function speak(): Promise<void> {
  expect(await lab().ping('r0', lab().address('r2'))).toBe(3)
  expect(await lab().ping('r1', lab().address('r2'))).toBe(3)
  const { mac } = lab().endpoint('r0')
  await eventually('r0 is known', async () => (await lab().list<MacItem>('macs', { mac })).length === 1)
}

const trace = async (...args: string[]): Promise<{ code: number; result: Trace; stderr: string }> => {
  const { code, stdout, stderr } = await weft(lab(), 'trace', ...args, '-o', 'json')
  return { code, result: JSON.parse(stdout), stderr }
}

it('between two nodes: the tables name the entry and its revision, and the probes go the same way', async () => {
  await speak()
  const { code, result } = await trace('host0/tap0', '99.1.0.9')
  expect(result).toMatchObject({
    network: 'red',
    delivered: true,
    differences: [],
    silent: [],
    simulated: { delivered: [{ node: 'host2', interface: 'tap0' }] },
    live: { probes: 5, lost_records: 0, delivered: [{ node: 'host2', interface: 'tap0', frames: 5 }] },
  })
  const entry = result.simulated!.hops[0]!.looked_up.find(({ map }) => map === 'fdb')!
  expect(entry).toMatchObject({ key: '10000 02:00:00:01:00:09', value: '172.16.1.102 static' })
  expect(entry.revision).toBeGreaterThan(0)
  expect(code).toBe(0)
  const minimal = await weft(lab(), 'trace', 'host0/tap0', '99.1.0.9', '--simulate', '-o', 'minimal')
  expect(minimal.stdout).toBe('host0 forward_tunnel; host2 forward_local; deliver host2/tap0\n')
})

it('of a broadcast reaches every port of the network, and no probe is left in the tables', async () => {
  const { code, result } = await trace('host0/tap0', 'ff:ff:ff:ff:ff:ff', '--count', '3')
  expect(result).toMatchObject({ delivered: true, differences: [] })
  expect(result.live!.delivered.every(({ frames }) => frames === 3)).toBe(true)
  expect(code).toBe(0)
  const macs = await lab().list<MacItem>('macs', { network: 'red' })
  const stations = lab().record.endpoints.map(({ mac }) => mac)
  expect(macs.filter(({ mac }) => !stations.includes(mac))).toEqual([])
})

it('says where the kernel does something else than its tables, and exits with 1', async () => {
  // The fabric loses everything for host2.
  await lab().must('fabric', 'ip', 'link', 'set', 'dev', 'port2', 'down')
  try {
    const { code, result } = await trace('host0/tap0', '99.1.0.9')
    expect(code).toBe(1)
    expect(result).toMatchObject({ delivered: false, live: { delivered: [] } })
    expect(result.differences).toContain(
      'the tables of host2 say forward_local, and no probe came to tunnel_ingress there',
    )
  } finally {
    await lab().must('fabric', 'ip', 'link', 'set', 'dev', 'port2', 'up')
  }
})

it('names a node whose daemon is away, and takes everything down when it has ended', async () => {
  const daemon = await lab().kill('node-host1')
  const { result } = await trace('host0/tap0', '99.1.0.9')
  expect(result).toMatchObject({ delivered: true, silent: [{ node: 'host1', code: 'W-3015' }] })
  await lab().start(daemon)
  await eventually('no port_egress is attached, no tap is open', async () => {
    const nodes = await Promise.all(
      ['host0', 'host1', 'host2'].map((name) =>
        lab().client.request<{ connected: boolean; program_list: { program: string }[] }>(
          'GET',
          `/api/v1/nodes/${name}`,
        ),
      ),
    )
    return nodes.every(
      ({ connected, program_list: programs }) =>
        connected && programs.length > 0 && programs.every(({ program }) => program !== 'port_egress'),
    )
  })
})

it.each([
  [['host0/tap9', '99.1.0.9'], 4, 'there is no port host0/tap9'],
  [['host0/tap0', '99.1.0.77'], 4, 'nobody in network red is known as 99.1.0.77'],
  [['99.1.0.77', '99.1.0.9'], 4, 'nobody in any network is known as 99.1.0.77'],
])('is refused for %j', async (args, code, message) => {
  const refused = await weft(lab(), 'trace', ...args)
  expect(refused.code).toBe(code)
  expect(refused.stderr).toContain(message)
})

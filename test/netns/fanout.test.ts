import { expect, it } from 'vitest'
import type { Fanout } from '../../src/api/frames.js'
import type { MacItem } from '../../src/api/items.js'
import { eventually, labUp, weft } from './harness.js'

const lab = labUp('bridge-unicast.yaml', 'wt-fanout')

const fanout = async (...args: string[]): Promise<{ code: number; result: Fanout }> => {
  const { code, stdout } = await weft(lab(), 'fanout', ...args, '-o', 'json')
  return { code, result: JSON.parse(stdout) }
}
const copies = ({ ports }: Fanout) => ports.map((port) => [`${port.node}/${port.interface}`, port.copies])

it('one broadcast arrives exactly once at every other port of the network, and not at the sender', async () => {
  const [r0, r1] = [lab().endpoint('r0'), lab().endpoint('blue1')]
  await lab().ping('r0', lab().address('r2'))
  await lab().ping('blue1', lab().address('blue2'))
  await eventually('both are known', async () => {
    const macs = await lab().list<MacItem>('macs')
    return [r0, r1].every(({ mac }) => macs.some((one) => one.mac === mac))
  })
  for (const network of ['red', 'blue']) {
    const { code, result } = await fanout(network)
    expect(result).toMatchObject({ exact: true, silent: [] })
    expect(result.ports.length).toBeGreaterThan(2)
    expect(code).toBe(0)
  }
})

it('a port that got none is shown, with exit code 1', async () => {
  await lab().must('fabric', 'ip', 'link', 'set', 'dev', 'port2', 'down')
  try {
    const { code, result } = await fanout('red', '--from', 'host0/tap0')
    expect(code).toBe(1)
    expect(result.exact).toBe(false)
    expect(copies(result)).toContainEqual(['host2/tap0', 0])
    expect(copies(result)).toContainEqual(['host1/tap0', 1])
    expect(copies(result)).toContainEqual(['host0/tap0', 0])
  } finally {
    await lab().must('fabric', 'ip', 'link', 'set', 'dev', 'port2', 'up')
  }
})

it('a port that got two is shown: the fabric gives host1 all that host0 sends once more', async () => {
  await lab().must('fabric', 'tc', 'qdisc', 'add', 'dev', 'port0', 'clsact')
  const filter = 'tc filter add dev port0 ingress protocol ip u32 match ip protocol 17 0xff'
  await lab().must('fabric', ...`${filter} action mirred egress mirror dev port1`.split(' '))
  const { code, result } = await fanout('red', '--from', 'host0/tap0')
  expect(code).toBe(1)
  expect(copies(result)).toContainEqual(['host1/tap0', 2])
  expect(copies(result)).toContainEqual(['host2/tap0', 1])
})

import { beforeAll, describe, expect, it } from 'vitest'
import type { DropItem } from '../../src/api/items.js'
import { transferTcp } from '../../src/lab/checks/tcp.js'
import { eventually, labUp } from './harness.js'
import { startFlow } from './traffic.js'

const lab = labUp('quickstart.yaml', 'wt-mtu')

/** Of the endpoints; the network carries 1450. */
const tooLarge = 1500

describe('endpoints that take a network for larger than it is', () => {
  beforeAll(async () => {
    for (const name of ['alice', 'bob']) {
      const { node, interface: port } = lab().endpoint(name)
      await lab().must(node, 'ip', 'link', 'set', port, 'mtu', `${tooLarge}`)
      await lab().must(name, 'ip', 'link', 'set', 'eth0', 'mtu', `${tooLarge}`)
    }
  })

  it.each([
    [4, tooLarge - 28, 'mtu = 1450'],
    [6, tooLarge - 48, 'mtu: 1450'],
  ] as const)('are told by ICMP over IPv%i what it carries', async (family, size, said) => {
    const argv = ['ping', '-n', '-M', 'do', '-c', '2', '-i', '0.1', '-W', '1', '-s', `${size}`]
    const { stdout, stderr } = await lab().run('alice', ...argv, lab().address('bob', family))
    expect((stdout + stderr).replace('mtu=', 'mtu: ')).toContain(said)
    const learned = await lab().must('alice', 'ip', 'route', 'get', lab().address('bob', family))
    expect(learned).toContain(' mtu 1450')
  })

  it.each([4, 6] as const)('transfer by TCP over IPv%i', async (family) => {
    await forget()
    const [from, to] = [lab().endpoint('alice').namespace, lab().endpoint('bob').namespace]
    const transfer = await transferTcp({ from, to, address: lab().address('bob', family), seconds: 1 })
    expect(transfer.failure).toBeUndefined()
    expect(transfer.bytes).toBeGreaterThan(10_000_000)
  })

  it.each([4, 6] as const)('send large datagrams by UDP over IPv%i, all but the first', async (family) => {
    await forget()
    const size = tooLarge - (family === 4 ? 28 : 48)
    const flow = await startFlow(lab(), { from: 'alice', to: 'bob', rate: 500, family, size })
    await eventually('the sender knows', async () => {
      const route = await lab().must('alice', 'ip', 'route', 'get', lab().address('bob', family))
      return route.includes(' mtu 1450')
    })
    const { sent, lost, duplicated } = await flow.stop()
    expect(duplicated).toBe(0)
    expect(sent).toBeGreaterThan(50)
    expect(lost).toBeGreaterThan(0)
    expect(lost).toBeLessThan(5)
  })

  it('have what was answered counted', async () => {
    await eventually('the drops are reported', async () => {
      const drops = await lab().list<DropItem>('drops')
      return drops.some(({ node, reason }) => node === 'host0' && reason === 'too_big')
    })
  })
})

async function forget(): Promise<void> {
  for (const family of ['-4', '-6']) await lab().must('alice', 'ip', family, 'route', 'flush', 'cache')
}

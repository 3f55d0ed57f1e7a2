import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { transferTcp } from '../../src/lab/checks/tcp.js'
import { ipBatch } from '../../src/lab/ip-batch.js'
import { namespaceMark, namespaceOf } from '../../src/lab/names.js'
import { labUp } from './harness.js'
import { built, capture, job } from './traffic.js'

const name = 'wt-fast'
const lab = labUp('./fast-path.yaml', name)
const beyond = namespaceOf(name, 'beyond')

// Whatever b routes to the station behind it has to be cut and summed by b's own stack.
beforeAll(async () => {
  const b = namespaceOf(name, 'b')
  await ipBatch([`netns add ${beyond}`, `link add out0 netns ${b} type veth peer name eth0 netns ${beyond}`])
  await ipBatch(
    ['link set out0 up', 'addr add 10.98.0.1/24 dev out0', 'addr add fd00:98::1/64 dev out0 nodad'],
    {
      namespace: b,
    },
  )
  await ipBatch(
    [
      `link set lo alias ${namespaceMark(name)}`,
      'link set lo up',
      'link set eth0 up',
      'addr add 10.98.0.2/24 dev eth0',
      'addr add fd00:98::2/64 dev eth0 nodad',
      'route add default via 10.98.0.1',
      'route add ::/0 via fd00:98::1',
    ],
    { namespace: beyond },
  )
  await lab().must('b', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')
  await lab().must('a', 'ip', 'route', 'add', '10.98.0.0/24', 'via', '10.97.0.2')
  await lab().must('a', 'ip', '-6', 'route', 'add', 'fd00:98::/64', 'via', 'fd00:97::2')
  const off = ['tx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off', 'sg', 'off']
  await lab().must('b', 'ethtool', '-K', 'out0', ...off)
  await lab().must('beyond', 'ethtool', '-K', 'eth0', 'gro', 'off', 'rx', 'off')
})

interface Tunnel {
  readonly tx_fast: number
  readonly rx_fast: number
}

async function fastPackets(): Promise<{ tx: number; rx: number }> {
  const tunnels = await lab().list<Tunnel>('tunnels')
  const sum = (pick: (tunnel: Tunnel) => number) => tunnels.reduce((total, tunnel) => total + pick(tunnel), 0)
  return { tx: sum((tunnel) => tunnel.tx_fast), rx: sum((tunnel) => tunnel.rx_fast) }
}

/** No packet is larger than the device takes, and every checksum is right. */
function expectSound(seen: string, atLeast: number): void {
  expect(seen.match(/\(correct\)|udp sum ok/g)?.length).toBeGreaterThan(atLeast)
  expect(seen.split('\n').filter((line) => /incorrect|wrong|bad .*(cksum|csum)/.test(line))).toEqual([])
  const lengths = [...seen.matchAll(/ethertype IPv[46] \(0x[0-9a-f]+\), length (\d+)/g)].map((match) =>
    Number(match[1]),
  )
  expect(lengths.length).toBeGreaterThan(atLeast)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(1514)
}

describe.each([
  ['IPv4', '10.97.0.2', '10.98.0.2'],
  ['IPv6', 'fd00:97::2', 'fd00:98::2'],
])('over %s,', (_, near, far) => {
  it('TCP to a tenant takes the fast path both ways', async () => {
    const transfer = await transferTcp({
      from: namespaceOf(name, 'a'),
      to: namespaceOf(name, 'b'),
      address: near,
      seconds: 1,
    })
    expect(transfer.failure).toBeUndefined()
  })

  it('TCP that a tenant routes on is cut and summed rightly', async () => {
    const seen = await capture(lab(), 'beyond', 'eth0', `tcp and dst host ${far}`, async () => {
      const transfer = await transferTcp({
        from: namespaceOf(name, 'a'),
        to: beyond,
        address: far,
        seconds: 1,
        bitsPerSecond: 20_000_000,
      })
      expect(transfer.failure).toBeUndefined()
      expect(transfer.bytes).toBeGreaterThan(1_000_000)
      expect(transfer.retransmits).toBeLessThan(10)
    })
    expectSound(seen, 500)
  })

  it.each([
    ['b', near],
    ['beyond', far],
  ])('bursts of UDP that the kernel cuts arrive whole at %s', async (to, address) => {
    const program = built('gsoburst')
    const receiver = job(lab(), to, [program, 'receive', '5600'])
    await receiver.firstLine
    const seen = await capture(lab(), to, 'eth0', 'udp and dst port 5600', async () => {
      const sent = await lab().must('a', program, 'send', address, '5600', '50')
      expect(JSON.parse(sent)).toEqual({ sent: 500 })
      await sleep(300)
    })
    expect(await receiver.end()).toEqual({ whole: 500, wrong: 0 })
    if (to === 'beyond') expectSound(seen, 400)
  })
})

it('was the fast path that all of this took', async () => {
  await sleep(1500) // the nodes report once a second
  const { tx, rx } = await fastPackets()
  expect(tx).toBeGreaterThan(10_000)
  expect(rx).toBeGreaterThan(10_000)
})

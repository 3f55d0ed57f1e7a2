import { describe, expect, it } from 'vitest'
import { runCheck } from '../../src/lab/checks/check.js'
import { transferTcp } from '../../src/lab/checks/tcp.js'
import { parseLabSource } from '../../src/lab/topology-file.js'
import { labUp, topologyText } from './harness.js'
import { capture } from './traffic.js'

const lab = labUp('bridge-unicast.yaml', 'wt-connect')

describe('endpoints on different hosts', () => {
  it.each([
    ['r0', 'r2'],
    ['r2', 'r1'],
    ['blue0', 'blue2'],
    ['twin', 'blue2'],
  ])('%s pings %s by IPv4 and IPv6 without a loss', async (from, to) => {
    expect(await lab().ping(from, lab().address(to, 4), { count: 20 })).toBe(20)
    expect(await lab().ping(from, lab().address(to, 6), { count: 20 })).toBe(20)
  })

  it('find each other anew by ARP and by neighbour discovery', async () => {
    for (const family of [4, 6] as const) {
      const address = lab().address('r1', family)
      await lab().must('r0', 'ip', 'neigh', 'flush', 'dev', 'eth0')
      expect(await lab().ping('r0', address)).toBe(3)
      const neighbour = await lab().must('r0', 'ip', 'neigh', 'show', address)
      expect(neighbour).toContain(lab().endpoint('r1').mac)
    }
  })

  it.each([
    ['red', 'r0', 'r2', 4],
    ['red', 'r0', 'r2', 6],
    ['blue', 'blue0', 'blue1', 4],
    ['blue', 'blue0', 'blue1', 6],
  ] as const)('in %s: %s sends TCP to %s over IPv%i', async (_network, from, to, family) => {
    const { namespace } = lab().endpoint(from)
    const target = lab().endpoint(to).namespace
    const address = lab().address(to, family)
    const transfer = await transferTcp({ from: namespace, to: target, address, seconds: 1 })
    expect(transfer.failure).toBeUndefined()
    expect(transfer.bytes).toBeGreaterThan(10_000_000)
  })

  it('carry a broadcast to each member of the network, once', async () => {
    const { mac } = lab().endpoint('r0')
    const seen = await capture(lab(), 'r2', 'eth0', `arp and ether src ${mac}`, () =>
      lab().run('r0', 'ping', '-c', '1', '-W', '0.2', '99.1.0.200'),
    )
    expect(seen.match(/who-has 99\.1\.0\.200/g)).toHaveLength(1)
  })
})

describe('two networks', () => {
  it('may have the same MAC and the same address, and each answers in its own', async () => {
    const [r1, twin] = [lab().endpoint('r1'), lab().endpoint('twin')]
    expect(twin.mac).toBe(r1.mac)
    expect(lab().address('twin')).toBe(lab().address('r1'))
    // Both flows run at once, so the tables hold both meanings of the MAC.
    const [red, blue] = await Promise.all([
      lab().ping('r2', lab().address('r1'), { count: 20 }),
      lab().ping('blue2', lab().address('twin'), { count: 20 }),
    ])
    expect([red, blue]).toEqual([20, 20])
  })

  it('never see a frame of each other', async () => {
    const seen = await capture(lab(), 'blue2', 'eth0', '', async () => {
      await lab().run('r0', 'ping', '-c', '2', '-i', '0.1', '-W', '0.2', lab().address('blue2'))
      await lab().run('r0', 'ping', '-c', '2', '-i', '0.1', '-W', '0.2', lab().address('blue2', 6))
      expect(await lab().ping('r0', lab().address('r2'))).toBe(3)
      expect(await lab().ping('blue0', lab().address('blue2'))).toBe(3)
    })
    expect(seen).toContain(lab().endpoint('blue0').mac) // the capture works
    expect(seen).not.toContain(lab().endpoint('r0').mac)
  })
})

describe('the checks of the topology', () => {
  const { lab: spec } = parseLabSource('bridge-unicast.yaml', topologyText('bridge-unicast.yaml'))

  it.each(spec.checks)('$name', async (check) => {
    const outcome = await runCheck(check, lab().record, new AbortController().signal)
    expect(outcome.detail).not.toBe('')
    expect(outcome).toMatchObject({ ok: true })
  })
})

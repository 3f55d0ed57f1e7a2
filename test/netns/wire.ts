import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { transferTcp } from '../../src/lab/checks/tcp.js'
import type { Lab } from './harness.js'
import { capture, startFlow } from './traffic.js'

/** A thousand pings, 2 ms apart: how many are answered. */
export async function thousandPings(lab: Lab, from: string, address: string): Promise<number> {
  const argv = ['ping', '-n', '-q', '-c', '1000', '-i', '0.002', '-W', '1', address]
  const { stdout } = await lab.run(from, ...argv)
  return Number(/(\d+) received/.exec(stdout)?.[1] ?? 0)
}

/** TCP by iperf3, and a flow of datagrams of which none is lost. */
export async function transferWhole(lab: Lab, from: string, to: string, address: string): Promise<void> {
  const transfer = await transferTcp({
    from: lab.namespace(from),
    to: lab.namespace(to),
    address,
    seconds: 1,
    bitsPerSecond: 5_000_000,
  })
  expect(transfer.failure).toBeUndefined()
  expect(transfer.bytes).toBeGreaterThan(100_000)
  const flow = await startFlow(lab, { from, to, address, rate: 1000 })
  await sleep(300)
  expect(await flow.stop()).toMatchObject({ lost: 0, duplicated: 0, refused: 0 })
}

/** What tcpdump says of the tunnel at the peer's underlay while `work` runs, judged: all is well formed. */
export async function onTheWire(lab: Lab, work: () => Promise<unknown>): Promise<string> {
  const seen = await capture(lab, 'peer', 'eth0', 'udp port 4789', work)
  const lines = seen.split('\n')
  expect(lines.filter((line) => /incorrect|wrong|bad .*(cksum|csum)|truncated|malformed/.test(line))).toEqual(
    [],
  )
  const headers = lines.filter((line) => line.includes('VXLAN'))
  expect(headers.length).toBeGreaterThan(0)
  expect(headers.filter((line) => !line.includes('VXLAN, flags [I] (0x08), vni 10000'))).toEqual([])
  return seen
}

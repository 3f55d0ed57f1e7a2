import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually, labUp } from './harness.js'
import { startFlow } from './traffic.js'

const lab = labUp('bridge-unicast.yaml', 'wt-restart')

const outageMs = 3_000
/** Long enough for leases to end and for every retry to have backed off to its longest wait. */
const longOutageMs = 30_000
const rate = 4_000
const nothing = { lost: 0, duplicated: 0, refused: 0 }

describe('a flow of some thousand datagrams a second', () => {
  it.each([4, 6] as const)(
    'over IPv%i loses and doubles nothing while its node daemons are killed and start again',
    async (family) => {
      const flow = await startFlow(lab(), { from: 'r0', to: 'r2', rate, family })
      for (const process of ['node-host0', 'node-host2']) {
        const killed = await lab().kill(process)
        await sleep(500)
        const { pid } = await lab().start(killed)
        expect(pid).not.toBe(killed.pid)
        await lab().allReady()
      }
      await sleep(500)
      const count = await flow.stop()
      expect(count.sent).toBeGreaterThan(rate)
      expect(count).toMatchObject(nothing)
    },
  )

  it('loses and doubles nothing while a node daemon is stopped in order and starts again', async () => {
    const flow = await startFlow(lab(), { from: 'r0', to: 'r2', rate })
    const stopped = await lab().stop('node-host0')
    await sleep(300)
    await lab().start(stopped)
    await lab().allReady()
    expect(await flow.stop()).toMatchObject(nothing)
  })

  it('loses and doubles nothing while the controller is away and when it returns', async () => {
    const flow = await startFlow(lab(), { from: 'r0', to: 'r2', rate })
    const killed = await lab().kill('controller')
    await sleep(outageMs)
    await lab().start(killed)
    await lab().allReady()
    await sleep(500)
    expect(await flow.stop()).toMatchObject(nothing)
  })

  it('loses and doubles nothing while etcd is away and when it returns', async () => {
    const flow = await startFlow(lab(), { from: 'blue0', to: 'blue2', rate })
    const killed = await lab().kill('etcd')
    await sleep(outageMs)
    await lab().start(killed)
    await lab().allReady()
    await sleep(500)
    expect(await flow.stop()).toMatchObject(nothing)
  })

  it('loses and doubles nothing while controller and etcd are both away for 30 s', async () => {
    const flow = await startFlow(lab(), { from: 'r0', to: 'r2', rate })
    const controller = await lab().kill('controller')
    const etcd = await lab().kill('etcd')
    await sleep(longOutageMs)
    await lab().start(etcd)
    await lab().start(controller)
    await lab().allReady()
    await sleep(500)
    const count = await flow.stop()
    expect(count.sent).toBeGreaterThan((rate * longOutageMs) / 1000)
    expect(count).toMatchObject(nothing)
  })

  it('goes on when a daemon starts with no controller to ask', async () => {
    const flow = await startFlow(lab(), { from: 'r0', to: 'r2', rate })
    const controller = await lab().kill('controller')
    const node = await lab().kill('node-host0')
    await lab().start(node)
    await sleep(1500)
    await lab().start(controller)
    await lab().allReady()
    expect(await flow.stop()).toMatchObject(nothing)
  })
})

describe('after etcd was away', () => {
  it('a new address is learned again', async () => {
    await lab().must('r1', 'ip', 'link', 'set', 'eth0', 'address', '02:00:00:01:00:77')
    expect(await lab().ping('r1', lab().address('r2'))).toBe(3)
    await eventually('the new MAC is in the table', async () => {
      const macs = await lab().list<{ mac: string; node: string | null }>('macs', { network: 'red' })
      return macs.some(({ mac, node }) => mac === '02:00:00:01:00:77' && node === 'host1')
    })
  })
})

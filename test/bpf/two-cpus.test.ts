import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { LossKind } from '../../src/node/bpf/abi.gen.js'
import { DataplaneRig } from './dataplane-rig.js'
import type { Work } from './fixtures/run-frames.js'
import { alice, vni } from './stations.js'

let rig: DataplaneRig
let port1: number

beforeAll(() => {
  rig = new DataplaneRig()
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => rig.reset())

/** Two threads that run frames on port 1 at once, each from MACs that begin where it is told. */
async function together(firsts: readonly [number, number], frames: number, repeat = 1): Promise<void> {
  const barrier = new SharedArrayBuffer(4)
  new Int32Array(barrier)[0] = firsts.length
  // On Node 20 a Worker does not inherit tsx.
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const script = pathToFileURL(join(import.meta.dirname, 'fixtures/run-frames.ts'))
  const start = `import(${tsx}).then(({ register }) => (register(), import(${JSON.stringify(script)})))`
  const workers = firsts.map((first) => {
    const workerData: Work = { fd: rig.portIngress.fd, ifindex: port1, first, frames, repeat, barrier }
    return new Worker(start, { eval: true, workerData })
  })
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  expect(rig.countedPackets()).toBe(2 * frames * repeat)
}

function port(limits: { macLimit?: number; bumCostNs?: number; bumBurstNs?: number }): void {
  port1 = rig.addPort(rig.ports[0], vni, 1450, limits)
  rig.addSegment(vni, { ports: [port1] })
}

const packets = (reason: string) => rig.verdicts().find((one) => one.reason === reason)?.packets ?? 0
const state = () => rig.maps.portStates.get({ ifindex: port1 })!

test('two CPUs together let in as many MACs as the limit says', async () => {
  port({ macLimit: 700 })
  await together([alice, alice + 100_000], 20_000)
  expect(rig.maps.learned.entries()).toHaveLength(700)
  expect(state().macsLearned).toBe(700)
  expect(packets('DROP_MAC_LIMIT')).toBe(40_000 - 700)
})

test('a MAC that two CPUs hear at once is taken in and told once', async () => {
  port({})
  const macs = 10_000
  await together([alice, alice], macs)
  expect(rig.maps.learned.entries()).toHaveLength(macs)
  expect(state().macsLearned).toBe(macs)
  expect(rig.takeEvents().length + rig.losses(LossKind.LOSS_EVENT)).toBe(macs)
})

test('two CPUs together pay for each frame that they flood, and flood no more than the limit', async () => {
  const bumCostNs = 100_000
  const burst = 20_000
  port({ bumCostNs, bumBurstNs: burst * bumCostNs })
  const before = Number(process.hrtime.bigint())
  await together([alice, alice + 100_000], 50, 2000)
  const elapsed = Number(process.hrtime.bigint()) - before
  const flooded = packets('DROP_NO_MEMBER')
  expect(flooded + packets('DROP_BUM_LIMIT')).toBe(200_000)
  expect(flooded).toBeGreaterThan(burst)
  expect(flooded).toBeLessThanOrEqual(burst + 1 + Math.ceil(elapsed / bumCostNs))
  // The port was ahead of the clock all the time, so what it owes is what it sent.
  const start = state().bumUntilNs - flooded * bumCostNs
  expect(start).toBeGreaterThanOrEqual(before)
  expect(start).toBeLessThanOrEqual(before + elapsed)
})

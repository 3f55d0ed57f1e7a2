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

interface Together {
  /** The MACs that the two threads begin with. */
  readonly from: readonly [number, number]
  readonly frames: number
  readonly repeat?: number
  /** Last, before both start. */
  readonly prepare?: () => void
}

/** Two threads that run frames on port 1 at once. */
async function together({ from, frames, repeat = 1, prepare }: Together): Promise<void> {
  const start = new SharedArrayBuffer(4)
  // On Node 20 a Worker does not inherit tsx.
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const script = JSON.stringify(pathToFileURL(join(import.meta.dirname, 'fixtures/run-frames.ts')))
  const code = `import(${tsx}).then(({ register }) => (register(), import(${script})))`
  const workers = from.map((first) => {
    const workerData: Work = { fd: rig.portIngress.fd, ifindex: port1, first, frames, repeat, start }
    return new Worker(code, { eval: true, workerData })
  })
  const ended = workers.map((worker) => once(worker, 'exit'))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  prepare?.()
  Atomics.store(new Int32Array(start), 0, 1)
  Atomics.notify(new Int32Array(start), 0)
  await Promise.all(ended)
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
  await together({ from: [alice, alice + 100_000], frames: 20_000 })
  expect(rig.maps.learned.entries()).toHaveLength(700)
  expect(state().macsLearned).toBe(700)
  expect(packets('DROP_MAC_LIMIT')).toBe(40_000 - 700)
})

test('a MAC that two CPUs hear at once is taken in and told once', async () => {
  port({})
  const macs = 10_000
  await together({ from: [alice, alice], frames: macs })
  expect(rig.maps.learned.entries()).toHaveLength(macs)
  expect(state().macsLearned).toBe(macs)
  expect(rig.takeEvents().length + rig.losses(LossKind.LOSS_EVENT)).toBe(macs)
})

test('two CPUs together pay for each frame that they flood, and flood no more than the limit', async () => {
  const bumCostNs = 1500
  const ahead = 3_000_000_000 // so far ahead of the clock that it does not catch up: the account is exact
  let owed = 0
  port({ bumCostNs, bumBurstNs: ahead + 500_000_000 })
  await together({
    from: [alice, alice + 100_000],
    frames: 500,
    repeat: 2000,
    prepare() {
      owed = Number(process.hrtime.bigint()) + ahead
      rig.maps.portStates.set({ ifindex: port1 }, { bumUntilNs: owed, macsLearned: 0 })
    },
  })
  const flooded = packets('DROP_NO_MEMBER')
  expect(flooded + packets('DROP_BUM_LIMIT')).toBe(2_000_000)
  expect(flooded).toBeGreaterThan(100_000)
  expect(state().bumUntilNs).toBe(owed + flooded * bumCostNs)
})

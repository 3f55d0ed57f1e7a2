import { describe, expect, it } from 'vitest'
import { eventually, labUp } from './harness.js'
import { countCopies, sendFrames, startFlow } from './traffic.js'

const lab = labUp('./mesh.yaml', 'wt-outage')

/** A minute where the time is there; less keeps the whole suite short. */
const outageMs = Number(process.env['WEFT_OUTAGE_S'] ?? 20) * 1000
const rate = 1000
const whole = { lost: 0, duplicated: 0, refused: 0 }

/*
 * What a move itself cannot carry: what is sent to the endpoint from when its
 * old port is gone until the first frame from its new place, and what it sends
 * before the new port is attached. That is one gap in each flow for each move;
 * all else arrives, once.
 */
describe('in multicast mode, with controller and etcd away', () => {
  it('endpoints move and talk, and nothing is lost that a move does not take', async () => {
    const steady = [
      await startFlow(lab(), { from: 'red0', to: 'red4', rate, port: 5700 }),
      await startFlow(lab(), { from: 'red2', to: 'red1', rate, port: 5701, family: 6 }),
    ]
    const moving = [
      await startFlow(lab(), { from: 'red0', to: 'roamer', rate, port: 5702 }),
      await startFlow(lab(), { from: 'roamer', to: 'red4', rate, port: 5703 }),
    ]
    const controller = await lab().kill('controller')
    const etcd = await lab().kill('etcd')
    const until = performance.now() + outageMs
    let moves = 0
    while (performance.now() < until) {
      await lab().move('roamer', ['host2', 'host0', 'host1'][moves++ % 3]!)
      await eventually('it is reached at its new place', reachedByAll)
      const flows = [
        await startFlow(lab(), { from: 'red3', to: 'roamer', rate, port: 5704 }),
        await startFlow(lab(), { from: 'roamer', to: 'red5', rate, port: 5705, family: 6 }),
      ]
      for (const flow of flows) expect(await flow.stop()).toMatchObject(whole)
    }
    await findNewStation()

    await lab().start(etcd)
    await lab().start(controller)
    await lab().allReady()
    expect(moves).toBeGreaterThan(2)
    for (const flow of steady) {
      const count = await flow.stop()
      expect(count.sent).toBeGreaterThan((rate / 4) * (outageMs / 1000))
      expect(count).toMatchObject(whole)
    }
    for (const flow of moving) {
      const count = await flow.stop()
      process.stdout.write(
        `${moves} moves in ${outageMs / 1000} s: ${count.lost} of ${count.sent} lost in ${count.gaps} gaps, ${count.longestSilenceMs} ms the longest silence\n`,
      )
      expect(count.duplicated).toBe(0)
      expect(count.gaps).toBeLessThanOrEqual(moves)
    }
  })
})

async function reachedByAll(): Promise<boolean> {
  const address = lab().address('roamer')
  const answers = ['red0', 'red2', 'red4'].map((from) => lab().ping(from, address, { count: 1 }))
  return (await Promise.all(answers)).every((count) => count === 1)
}

/** One that nobody heard of before is found where it speaks. */
async function findNewStation(): Promise<void> {
  const mac = '02:00:00:00:00:ad'
  await sendFrames(lab(), 'red3', { source: mac, to: 'ff:ff:ff:ff:ff:ff' })
  const others = ['red1', 'red2', 'red3', 'red4', 'red5']
  const counted = await countCopies(lab(), others, () => sendFrames(lab(), 'red0', { to: mac, count: 50 }))
  expect(others.map((name) => counted[name]?.total)).toEqual([0, 0, 50, 0, 0])
}

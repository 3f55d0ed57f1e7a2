import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { MacItem } from '../../src/api/items.js'
import { eventually, type Lab, labUp, weft } from './harness.js'
import { modes } from './modes.js'
import { countCopies, type Flow, sendFrames, sendGarp, startFlow } from './traffic.js'

const rate = 1000
/** A station that exists as frames only, so that it can speak at two places at once. */
const phantom = '02:00:00:00:00:aa'
const flapper = '02:00:00:00:00:ab'
const phantomAddress = '99.1.0.170'

describe.each(modes)('in mode $mode, an endpoint that moves to another host', ({ mode, edit }) => {
  const lab = labUp('./mesh.yaml', `wt-moves-${mode}`, edit)

  it.each([
    ['announces itself', 'host2', false],
    ['says nothing of it but talks', 'host0', true],
    ['returns', 'host1', false],
  ])('is followed by those on its old host, its new one and a third when it %s', async (_, host, quiet) => {
    const flows = await flowsWithRoamer(lab())
    await sleep(300)
    await lab().move('roamer', host, { quiet })
    await eventually('all reach it', () => reachedByAll(lab()))
    for (const [name, flow] of Object.entries(flows)) {
      const count = await flow.stop()
      process.stdout.write(
        `${mode}, ${name}: ${count.longestSilenceMs} ms of silence over the move, ${count.lost} of ${count.sent} lost\n`,
      )
      expect(count).toMatchObject({ duplicated: 0 })
      expect(count.gaps).toBeLessThanOrEqual(1)
    }
  })

  it('gets and sends everything once, after that', async () => {
    const flows = Object.values(await flowsWithRoamer(lab()))
    await sleep(1000)
    for (const flow of flows) {
      const count = await flow.stop()
      expect(count.received).toBeGreaterThan(rate / 4)
      expect(count).toMatchObject({ lost: 0, duplicated: 0, refused: 0 })
    }
  })

  it('is not moved back by late frames from its old place', async () => {
    await speakAs(lab(), 'red2')
    await eventually('it is followed to host1', () => arrivesAt(lab(), 'red2'))
    await sendGarp(lab(), 'red4', phantom, phantomAddress)
    await eventually('it is followed to host2', async () => {
      await sendFrames(lab(), 'red2', { source: phantom, to: lab().endpoint('red0').mac, count: 5 })
      return arrivesAt(lab(), 'red4')
    })
  })

  if (mode === 'unicast')
    it('stays where it is after five moves in a short time, and the journal says why', async () => {
      const place = async () => {
        const items = await lab().list<MacItem>('macs', { mac: flapper })
        return items[0]
      }
      const places = ['red2', 'red4', 'red2', 'red4', 'red2', 'red4']
      for (const from of places) {
        await sendGarp(lab(), from, flapper, phantomAddress)
        const { node } = lab().endpoint(from)
        await eventually(`it is claimed by ${node}`, async () => (await place())?.node === node)
      }
      await eventually('it is marked', async () => (await place())?.flags.includes('D') === true)
      await sendGarp(lab(), 'red2', flapper, phantomAddress)
      await eventually('the claim is refused', async () => {
        const { stdout } = await weft(lab(), 'describe', 'mac', flapper)
        return /frozen/.test(stdout) && /refused/.test(stdout)
      })
      expect((await place())?.node).toBe('host2')
      expect((await place())?.seq).toBe(5)
    })
})

/** To and from the roamer: with its home, another host and a third. */
async function flowsWithRoamer(lab: Lab): Promise<Record<string, Flow>> {
  const start = (from: string, to: string, port: number) => startFlow(lab, { from, to, rate, port })
  return {
    'host0 to it': await start('red0', 'roamer', 5700),
    'host1 to it': await start('red2', 'roamer', 5701),
    'host2 to it': await start('red4', 'roamer', 5702),
    'it to host0': await start('roamer', 'red1', 5703),
  }
}

async function reachedByAll(lab: Lab): Promise<boolean> {
  const answers = ['red0', 'red2', 'red4'].map((from) => lab.ping(from, lab.address('roamer'), { count: 1 }))
  return (await Promise.all(answers)).every((count) => count === 1)
}

async function speakAs(lab: Lab, from: string): Promise<void> {
  await sendFrames(lab, from, { source: phantom, to: 'ff:ff:ff:ff:ff:ff' })
}

/** Whether what red0 and red3 send to the phantom comes to one place, once, and to no other. */
async function arrivesAt(lab: Lab, place: string): Promise<boolean> {
  const others = ['red1', 'red2', 'red4', 'red5']
  const counted = await countCopies(lab, others, async () => {
    await sendFrames(lab, 'red0', { to: phantom, count: 20 })
    await sendFrames(lab, 'red3', { to: phantom, count: 20 })
  })
  return others.every((name) => {
    const total = name === place ? 40 : 0
    return counted[name]?.total === total
  })
}

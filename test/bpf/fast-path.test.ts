import { afterAll, beforeAll, expect, test } from 'vitest'
import { ethernet, ipv4, ipv6, tcp } from './frames.js'
import { tenantFrame, tunnelFrame } from './path-corpus.js'
import { randomFrom } from './random-frames.js'
import { alice, bob, remote } from './stations.js'
import { TwoPaths } from './two-paths.js'

const seed = Number(process.env['WEFT_TEST_SEED'] ?? 20_260_101)
const FRAMES = 4000

let paths: TwoPaths
beforeAll(() => {
  paths = new TwoPaths()
})
afterAll(() => paths[Symbol.dispose]())

test(`${FRAMES} frames, right and odd, leave a node the same by both paths (seed ${seed})`, () => {
  const random = randomFrom(seed)
  const frames = Array.from({ length: FRAMES }, () => tenantFrame(random, { from: alice, to: bob }))
  const slow = paths.passage(false, frames, (rig, frame) => rig.ports[0].send(frame))
  const fast = paths.passage(true, frames, (rig, frame) => rig.ports[0].send(frame))
  expect(slow.packets.txFast).toBe(0)
  expect(fast.packets.txFast).toBeGreaterThan(FRAMES / 2)
  expectSame(fast, slow)
})

test(`${FRAMES} frames, in right and odd tunnels, come to a node the same by both paths (seed ${seed})`, () => {
  const random = randomFrom(seed)
  const frames = Array.from({ length: FRAMES }, () =>
    tunnelFrame(random, tenantFrame(random, { from: remote, to: alice })),
  )
  const slow = paths.passage(false, frames, (rig, frame) => rig.underlay.send(frame))
  const fast = paths.passage(true, frames, (rig, frame) => rig.underlay.send(frame))
  expect(slow.packets.rxFast).toBe(0)
  expect(fast.packets.rxFast).toBeGreaterThan(FRAMES / 20)
  expectSame(fast, slow)
})

test('a GSO frame is cut into the same packets by both paths', () => {
  const segment = tcp({ from: 1000, to: 80 }, new Uint8Array(20_000).fill(7))
  const frames = [
    {
      ipv6: false,
      headers: 54,
      packet: ipv4({ from: '10.0.0.1', to: '10.0.0.2', trafficClass: 2 }, segment),
    },
    { ipv6: true, headers: 74, packet: ipv6({ from: 'fd00::1', to: 'fd00::2' }, segment) },
  ].flatMap((one) => [one, one])
  const send = (rig: TwoPaths['rig'], { packet, headers, ipv6 }: (typeof frames)[number]) =>
    rig.ports[1].send(ethernet({ from: alice, to: bob }, packet), {
      segmentSize: 1300,
      headerLength: headers,
      checksumStart: headers - 20,
      ipv6,
    })
  const slow = paths.passage(false, frames, send)
  const fast = paths.passage(true, frames, send)
  expect(slow.packets).toMatchObject({ tx: 64, txFast: 0 })
  expect(fast.packets.tx).toBe(64)
  expect(fast.packets.txFast).toBeGreaterThanOrEqual(32) // the first of a while shows the way
  expectSame(fast, slow)
})

function expectSame(fast: ReturnType<TwoPaths['passage']>, slow: ReturnType<TwoPaths['passage']>): void {
  const inSlow = new Set(slow.frames)
  const inFast = new Set(fast.frames)
  expect(fast.frames.filter((frame) => !inSlow.has(frame)).slice(0, 3)).toEqual([])
  expect(slow.frames.filter((frame) => !inFast.has(frame)).slice(0, 3)).toEqual([])
  expect(fast.frames.length).toBe(slow.frames.length)
  expect(fast.verdicts).toEqual(slow.verdicts)
}

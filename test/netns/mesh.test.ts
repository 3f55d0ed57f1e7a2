import { describe, expect, it } from 'vitest'
import { runCheck } from '../../src/lab/checks/check.js'
import { parseLabSource } from '../../src/lab/topology-file.js'
import { type Lab, labUp, topologyText } from './harness.js'
import { modes } from './modes.js'
import { countCopies, sendFrames } from './traffic.js'

const frames = 200
const exactly = { distinct: frames, total: frames, most: 1 }
const nothing = { distinct: 0, total: 0, most: 0 }

describe.each(modes)('in mode $mode, on three hosts with two networks:', ({ mode, edit }) => {
  const lab = labUp('./mesh.yaml', `wt-mesh-${mode}`, edit)
  const { lab: spec } = parseLabSource('mesh.yaml', edit(topologyText('./mesh.yaml')))

  it.each(spec.checks)('$name', async (check) => {
    const outcome = await runCheck(check, lab().record, new AbortController().signal)
    expect(outcome.detail).not.toBe('')
    expect(outcome).toMatchObject({ ok: true })
  })

  it.each([
    ['a broadcast', 'red0', 'ff:ff:ff:ff:ff:ff'],
    ['a multicast', 'red3', '01:00:5e:7f:00:09'],
    ['a frame for nobody known', 'blue1', '02:00:00:00:00:0a'],
  ])(
    '%s of %s arrives exactly once at each other port of its network, and nowhere else',
    async (_, from, to) => {
      const others = everyEndpoint(lab()).filter((name) => name !== from)
      const counted = await countCopies(lab(), others, () => sendFrames(lab(), from, { to, count: frames }))
      const { network } = lab().endpoint(from)
      const expected = others.map((name) => [
        name,
        lab().endpoint(name).network === network ? exactly : nothing,
      ])
      expect(counted).toEqual(Object.fromEntries(expected))
    },
  )

  it.each([
    ['on the same host', 'red0', 'red1'],
    ['on another host', 'red0', 'red5'],
  ])('a frame for an endpoint %s arrives there exactly once, and nowhere else', async (_, from, to) => {
    expect(await lab().ping(to, lab().address(from))).toBe(3) // now it is known where it is
    const others = everyEndpoint(lab()).filter((name) => name !== from)
    const { mac } = lab().endpoint(to)
    const counted = await countCopies(lab(), others, () =>
      sendFrames(lab(), from, { to: mac, count: frames }),
    )
    expect(counted).toEqual(Object.fromEntries(others.map((name) => [name, name === to ? exactly : nothing])))
  })
})

function everyEndpoint({ record }: Lab): string[] {
  return record.endpoints.map(({ name }) => name)
}

import { afterAll, beforeAll, expect, it } from 'vitest'
import { plainPort } from '../../src/model/segment.fixture.js'
import { Rig, until } from './rig.js'

let rig: Rig
beforeAll(async () => {
  rig = await new Rig().build()
  rig.daemon('h0')
  rig.daemon('h1')
  await rig.settled('h0', 'h1')
})
afterAll(() => rig.remove())

it('forgets what it counted of VTEPs that left a segment, and of segments that went', async () => {
  expect(rig.ping('e0', '10.1.0.2', 3)).toBe(true)
  const report = () => rig.controller.told.get('h0')!.report!
  await until('the tunnel is counted', () => report().tunnels.length === 1)
  await until('the verdicts are counted', () => report().verdicts.some(({ vni }) => vni === 7))

  const segment = rig.controller.segments.get(7)!
  const [h0, h1] = segment.spec.members
  segment.entries.clear()
  rig.controller.segment(7, { members: [h0!] })
  rig.controller.publish()
  await until('the tunnel is forgotten', () => report().tunnels.length === 0)

  rig.controller.segment(8, { members: [h0!, h1!] })
  for (const [name, assignment] of rig.controller.assignments) {
    rig.controller.assignments.set(name, { ...assignment, ports: [plainPort('tap0', 8)] })
  }
  rig.controller.segments.delete(7)
  rig.controller.publish()
  for (const name of rig.controller.assignments.keys()) {
    rig.controller.send(name, { kind: 'segment_remove', vni: 7 })
  }
  rig.controller.publish()
  await until('its verdicts are forgotten', () => report().verdicts.every(({ vni }) => vni !== 7))
  expect(rig.ping('e0', '10.1.0.2', 3)).toBe(true)
})

import { expect, test } from 'vitest'
import type { Mac } from '../../src/model/mac.js'
import { maps, NodeFlag } from '../../src/node/bpf/abi.gen.js'
import { RingReader } from '../../src/node/bpf/ring.js'
import { readFrame, type SeenFrame } from '../../src/node/taps/record.js'
import { type DataplaneRig, loadObject } from './dataplane-rig.js'
import { ethernet } from './frames.js'
import { alice, bob, ping, remote, vtep } from './stations.js'
import { encapsulated } from './through-tunnel.js'
import { TwoPaths } from './two-paths.js'

test('a tap sees a frame of the fast path as the tenant does, and the VTEP at the other end', () => {
  using paths = new TwoPaths()
  using egress = loadObject('port_egress', paths.rig.bpffs)
  using taps = egress.map('taps', maps.taps)
  const seen: SeenFrame[] = []
  using ring = new RingReader(egress.mapFd('frames'), (...record) => seen.push(readFrame(...record)))
  taps.set({ slot: 0 }, { ...everything, snaplen: 200 })
  const watched = (send: (rig: DataplaneRig) => void) => (rig: DataplaneRig) => {
    rig.maps.config.set({ zero: 0 }, { ...rig.maps.config.get({ zero: 0 })!, flags: NodeFlag.NODE_TAP })
    send(rig)
  }

  const out = ethernet({ from: alice, to: bob }, ping)
  const left = paths.passage(
    true,
    Array.from({ length: 20 }),
    watched((rig) => rig.ports[0].send(out)),
  )
  const incoming = ethernet({ from: remote, to: alice }, ping)
  const tunnelled = encapsulated(incoming)
  tunnelled.fill(0, 40, 42) // no checksum of UDP
  const came = paths.passage(
    true,
    [1],
    watched((rig) => rig.underlay.send(tunnelled)),
  )
  ring.drain()

  expect(left.packets.txFast).toBeGreaterThan(0) // the first of a while shows the way
  expect(came.packets.rxFast).toBe(1)
  expect(seen.map(({ head, bytes }) => ({ program: head.program, vtep: head.vtep, bytes }))).toEqual([
    ...Array.from({ length: 20 }, () => ({ program: 0, vtep, bytes: out })),
    { program: 2, vtep, bytes: incoming },
  ])
})

const everything = {
  untilNs: Number.MAX_SAFE_INTEGER,
  marker: 0,
  vni: 0,
  ifindex: 0,
  source: 0 as Mac,
  destination: 0 as Mac,
  flags: 0,
}

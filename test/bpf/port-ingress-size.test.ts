import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LossKind, maps } from '../../src/node/bpf/abi.gen.js'
import { type TestRunContext, testRun } from '../../src/node/bpf/test-run.js'
import { plainPortEntry } from '../../src/node/bpf/values.fixture.js'
import { DataplaneRig, loadObject, type Outcome, TC_ACT_SHOT } from './dataplane-rig.js'
import { ethernet, ipv4, ipv6, payload, tcp, udp, vlan } from './frames.js'
import { alice, bob, vni, vtep } from './stations.js'

let rig: DataplaneRig
let port1: number

beforeAll(() => {
  rig = new DataplaneRig()
  for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  port1 = rig.addPort(rig.ports[0], vni)
  const port2 = rig.addPort(rig.ports[1], vni)
  rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2] })
  rig.addRemote(vni, bob, vtep)
})

function run(frame: Uint8Array, ctx: TestRunContext = {}): Outcome {
  return rig.run(rig.portIngress, frame, { ifindex: port1, ...ctx })
}

const once = (reason: string, frame: Uint8Array) => [{ reason, packets: 1, bytes: frame.length }]

describe('the MTU', () => {
  const frameOf = (length: number) => ethernet({ from: alice, to: bob }, payload(length))

  test('lets a packet through that just fits, and the tunnel takes it', () => {
    rig.ports[0].send(frameOf(1450))
    expect(rig.encapsulated().map(({ inner }) => inner.length)).toEqual([1464])
  })

  test('drops a packet that is one byte larger', () => {
    expect(run(frameOf(1451))).toMatchObject({
      action: TC_ACT_SHOT,
      verdicts: once('DROP_OVER_MTU', frameOf(1451)),
    })
  })

  test('counts a tag in, wherever the kernel keeps it', () => {
    const fits = ethernet({ from: alice, to: bob }, vlan(10, payload(1446)))
    const large = ethernet({ from: alice, to: bob }, vlan(10, payload(1447)))
    expect(run(fits).verdicts).toMatchObject(once('FORWARD_TUNNEL', fits))
    expect(run(large).verdicts).toMatchObject(once('DROP_OVER_MTU', large))
    expect(rig.observe(() => rig.ports[0].send(fits)).verdicts).toMatchObject(once('FORWARD_TUNNEL', fits))
    expect(rig.observe(() => rig.ports[0].send(large)).verdicts).toMatchObject(once('DROP_OVER_MTU', large))
  })

  test.each([
    [
      'IPv4 and TCP',
      ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, tcp({ from: 1, to: 2 }, new Uint8Array(3000))),
      40,
    ],
    [
      'IPv4 with options',
      ipv4({ from: '10.0.0.1', to: '10.0.0.2', options: 3 }, tcp({ from: 1, to: 2 }, new Uint8Array(3000))),
      52,
    ],
    [
      'IPv6 and UDP',
      ipv6({ from: 'fd00::1', to: 'fd00::2' }, udp({ from: 1, to: 2 }, new Uint8Array(3000))),
      48,
    ],
  ])('judges a GSO frame of %s by its segments', (_, packet, headers) => {
    const frame = ethernet({ from: alice, to: bob }, packet)
    const gsoSize = 1450 - headers
    expect(run(frame, { gsoSize, gsoSegs: 3 }).verdicts).toMatchObject([{ reason: 'FORWARD_TUNNEL' }])
    expect(run(frame, { gsoSize: gsoSize + 1, gsoSegs: 3 }).verdicts).toMatchObject([
      { reason: 'DROP_TOO_BIG' },
    ])
  })
})

describe('counting', () => {
  const headers = 14 + 20 + 20
  const large = ethernet(
    { from: alice, to: bob },
    ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, tcp({ from: 1, to: 2 }, new Uint8Array(3000))),
  )

  test('takes a GSO frame for the packets and bytes it becomes on the wire', () => {
    expect(run(large, { gsoSize: 1000, gsoSegs: 3 }).verdicts).toMatchObject([
      { packets: 3, bytes: 3 * (headers + 1000) },
    ])
    expect(rig.maps.tunnels.getSummed({ vni, vtep: vtep as never })).toMatchObject({
      txPackets: 3,
      txBytes: 3 * (headers + 1000),
    })
  })

  test('works the segments out when a guest does not tell them', () => {
    expect(run(large, { gsoSize: 1400 }).verdicts).toMatchObject([{ packets: 3, bytes: 3 * headers + 3000 }])
  })

  test('believes the kernel where that has worked out the length', () => {
    expect(run(large, { gsoSize: 1000, gsoSegs: 3, wireLen: 3500 }).verdicts).toMatchObject([
      { packets: 3, bytes: 3500 },
    ])
  })

  test('counts what the tunnel really sends for a GSO frame of a guest', () => {
    const frame = ethernet(
      { from: alice, to: bob },
      ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, tcp({ from: 1, to: 2 }, new Uint8Array(20_000).fill(7))),
    )
    const gso = { segmentSize: 1400, headerLength: headers, checksumStart: 34 }
    const { verdicts } = rig.observe(() => rig.ports[1].send(frame, gso))
    const inner = rig.encapsulated().map(({ inner }) => inner)

    expect(inner).toHaveLength(Math.ceil(20_000 / 1400))
    expect(verdicts).toMatchObject([
      {
        reason: 'FORWARD_TUNNEL',
        packets: inner.length,
        bytes: inner.reduce((sum, { length }) => sum + length, 0),
      },
    ])
  })

  test('says how many frames it could not count, when the table of verdicts is full', () => {
    using small = loadObject('port_ingress', join(rig.bpffs, 'small'), { verdicts: 1 })
    using ports = small.map('ports', maps.ports)
    using losses = small.perCpuMap('losses', maps.losses)
    const send = () => testRun(small.program('port_ingress'), large, { ctx: { ifindex: port1 } })

    send()
    ports.set({ ifindex: port1 }, plainPortEntry(vni))
    expect(send().verdict).toBe(TC_ACT_SHOT)
    expect(losses.getSummed({ kind: LossKind.LOSS_COUNT })).toEqual({ count: 1 })
  })
})

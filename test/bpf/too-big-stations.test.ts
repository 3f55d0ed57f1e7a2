import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DataplaneRig, readUntil } from './dataplane-rig.js'
import { hideNamespaceNames, RealStation } from './real-stations.js'
import { alice, bob, vni } from './stations.js'

// Interfaces of a larger MTU than the segment has, with all offloads on: what a
// station does with the answers is its own kernel's decision.
const mtu = 1450
const bytes = 20_000_000

let rig: DataplaneRig
let a: RealStation
let b: RealStation

beforeAll(() => {
  rig = new DataplaneRig()
  hideNamespaceNames()
  a = new RealStation(rig, 'big-a', { mac: alice, addresses: ['10.0.0.1/24', 'fd00::1/64'], mtu: 9000 })
  b = new RealStation(rig, 'big-b', { mac: bob, addresses: ['10.0.0.2/24', 'fd00::2/64'], mtu: 9000 })
  for (const { ifindex } of [a, b]) {
    rig.maps.ports.set({ ifindex }, { vni, mtu, flags: 0, macLimit: 0, bumCostNs: 0, bumBurstNs: 0 })
  }
  rig.addSegment(vni, { ports: [a.ifindex, b.ifindex] })
})
afterAll(() => rig[Symbol.dispose]())

describe.each([
  ['IPv4', '10.0.0.2', 'ping'],
  ['IPv6', 'fd00::2', 'ping -6'],
])('a real sender of %s over an interface whose MTU is too large', (_, peer, ping) => {
  beforeEach(() => {
    for (const station of [a, b]) for (const family of ['-4', '-6']) station.ip(`${family} route flush cache`)
    expect(a.ip(`route get ${peer}`)).not.toContain(' mtu ')
  })

  test('hears of the MTU at its first large packet, and keeps to it', () => {
    expect(a.try(`${ping} -c 1 -W 2 -M do -s 3000 ${peer}`)).toMatch(
      /(message too long|Packet too big).*1450|mtu[ =]*:? ?1450/i,
    )
    expect(a.ip(`route get ${peer}`)).toContain(`mtu ${mtu}`)
    // The echo reply is as large: the peer has to hear of it as well.
    a.try(`${ping} -c 1 -W 1 -M want -s 3000 ${peer}`)
    expect(a.exec(`${ping} -c 3 -i 0.2 -W 2 -M want -s 3000 ${peer}`)).toContain(' 0% packet loss')
  })

  test('finishes a TCP transfer, whose segments its kernel makes', async () => {
    const received = b.node(receive)
    readUntil(
      () => b.try('ss -Hltn sport = 5201'),
      (text) => text.includes('5201'),
    )
    const before = counts()
    await a.node(sendTo(peer))

    expect(await received).toBe(`${bytes}\n`)
    expect(since(before, 'DROP_TOO_BIG')).toBeGreaterThan(0)
    expect(since(before, 'FORWARD_LOCAL')).toBeGreaterThan(bytes / mtu)
    expect(since(before, 'DROP_OVER_MTU')).toBe(0)
    expect(a.ip(`route get ${peer}`)).toContain(`mtu ${mtu}`)
  }, 30_000)
})

const counts = () => new Map(rig.verdicts().map(({ reason, packets }) => [reason, packets]))
const since = (before: ReadonlyMap<string, number>, reason: string) =>
  (counts().get(reason) ?? 0) - (before.get(reason) ?? 0)

const receive = `
  let received = 0
  const server = require('net').createServer((socket) => {
    socket.on('data', ({ length }) => { received += length })
    socket.on('end', () => { console.log(received); socket.end(); server.close() })
  }).listen(5201, '::')`

const sendTo = (peer: string) => `
  const socket = require('net').connect(5201, '${peer}')
  socket.on('connect', () => socket.end(Buffer.alloc(${bytes})))
  socket.resume()`

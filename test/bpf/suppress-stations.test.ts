import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { formatMac } from '../../src/model/mac.js'
import { SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { plainPortEntry } from '../../src/node/bpf/values.fixture.js'
import { DataplaneRig, readUntil } from './dataplane-rig.js'
import { mac } from './frames.js'
import { hideNamespaceNames, RealStation } from './real-stations.js'
import { alice, bob, remote, vni } from './stations.js'

const { SEGMENT_LEARN_PORTS, SEGMENT_SUPPRESS } = SegmentFlag

let rig: DataplaneRig
let a: RealStation
let b: RealStation

beforeAll(() => {
  rig = new DataplaneRig()
  hideNamespaceNames()
  a = new RealStation(rig, 'nd-a', { mac: alice, addresses: ['10.0.0.1/24', 'fd00::1/64'] })
  b = new RealStation(rig, 'nd-b', { mac: bob, addresses: ['10.0.0.2/24', 'fd00::2/64'] })
})
afterAll(() => rig[Symbol.dispose]())
beforeEach(() => {
  rig.reset()
  for (const { ifindex } of [a, b]) rig.maps.ports.set({ ifindex }, plainPortEntry(vni))
  rig.addSegment(vni, { ports: [a.ifindex, b.ifindex], flags: SEGMENT_LEARN_PORTS | SEGMENT_SUPPRESS })
  for (const station of [a, b]) station.ip('neigh flush all')
})

function know(ip: string): void {
  rig.maps.neighbors.set({ vni, ip: ip as Ip }, { mac: remote, flags: 0, revision: 1 })
}
const packets = (reason: string) =>
  rig.verdicts().find((one) => one.reason === reason && one.program === 'PROGRAM_PORT_INGRESS')?.packets ?? 0
const neighbour = (station: RealStation, ip: string) => station.ip(`neigh show ${ip}`).trim()

describe.each([
  ['ARP', '10.0.0', 'ping'],
  ['ND', 'fd00:', 'ping -6'],
])('the kernel of a station, by %s,', (protocol, net, ping) => {
  const ip = (host: number) => `${net}${protocol === 'ARP' ? '.' : ':'}${host}`

  test('takes the answer for a remote neighbour, and holds it for reachable', () => {
    know(ip(9))
    a.try(`${ping} -c 1 -W 1 ${ip(9)}`)
    expect(neighbour(a, ip(9))).toBe(`${ip(9)} dev eth0 lladdr ${formatMac(remote)} REACHABLE`)
    expect(packets('ANSWER_NEIGHBOR')).toBe(1)
  })

  test('resolves an unknown neighbour as ever, and the next time is answered for it', () => {
    expect(a.exec(`${ping} -c 1 -W 2 ${ip(2)}`)).toContain(' 0% packet loss')
    expect(rig.maps.snooped.get({ vni, ip: ip(2) as Ip })).toMatchObject({ mac: bob, ifindex: b.ifindex })
    expect(packets('ANSWER_NEIGHBOR')).toBe(0)

    a.ip('neigh flush all')
    expect(a.exec(`${ping} -c 1 -W 2 ${ip(2)}`)).toContain(' 0% packet loss')
    expect(neighbour(a, ip(2))).toBe(`${ip(2)} dev eth0 lladdr ${formatMac(bob)} REACHABLE`)
    expect(packets('ANSWER_NEIGHBOR')).toBe(1)
  })

  test('finds no neighbour where there is none', () => {
    a.try(`${ping} -c 1 -W 1 ${ip(77)}`)
    expect(neighbour(a, ip(77))).toMatch(/INCOMPLETE|FAILED/)
    expect(packets('ANSWER_NEIGHBOR')).toBe(0)
  })
})

test('two stations with one IPv6 address find that out, although it is known', () => {
  know('fd00::7')
  a.ip('address add fd00::7/64 dev eth0 nodad')
  b.ip('address add fd00::7/64 dev eth0')
  const state = readUntil(
    () => b.ip('-6 address show dev eth0 to fd00::7'),
    (text) => text.includes('dadfailed') || !text.includes('tentative'),
  )
  expect(state).toContain('dadfailed')
})

test('an IPv6 address that is free passes duplicate address detection', () => {
  b.ip('address add fd00::8/64 dev eth0')
  const state = readUntil(
    () => b.ip('-6 address show dev eth0 to fd00::8'),
    (text) => text.includes('dadfailed') || !text.includes('tentative'),
  )
  expect(state).not.toContain('dadfailed')
})

test('gratuitous ARP reaches the others, and what it says is answered from then on', () => {
  const newMac = mac('02:00:00:00:00:bb')
  a.exec('ping -c 1 -W 2 10.0.0.2')
  b.exec('sysctl -qw net.ipv4.conf.eth0.arp_notify=1')
  b.ip('link set eth0 down')
  b.ip(`link set eth0 address ${formatMac(newMac)}`)
  b.ip('link set eth0 up')

  const seen = readUntil(
    () => neighbour(a, '10.0.0.2'),
    (text) => text.includes(formatMac(newMac)),
  )
  expect(seen).toContain(formatMac(newMac))
  expect(rig.maps.snooped.get({ vni, ip: '10.0.0.2' as Ip })).toMatchObject({ mac: newMac })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import type { SegmentSpec } from '../../src/model/segment-table.js'
import { type Daemon, ip, Rig, until } from './rig.js'

/** Ten seconds: longer than a daemon takes to start on a busy machine. */
const FLOW = 5000

const dataplane: Partial<SegmentSpec> = {
  flood_replicate: false,
  claim_macs: false,
  learn_tunnels: true,
}

describe.each([
  ['IPv4', '239.1.1.1', false],
  ['IPv6', 'ff05::1:1', true],
] as const)('a segment with a group on an %s underlay', (_, group, v6) => {
  let rig: Rig
  let daemon: Daemon
  beforeAll(async () => {
    rig = await new Rig().build({ v6 })
    // Devices that an unrouted group could leave by.
    for (const host of ['h0', 'h1']) ip(`-n ${rig.ns(host)} link add aaa0 up type veth peer name aaa1`)
    for (const host of ['h0', 'h1']) ip(`-n ${rig.ns(host)} link set aaa1 up`)
    rig.controller.segment(7, { ...dataplane, group: group as Ip })
    daemon = rig.daemon('h0')
    rig.daemon('h1')
    await rig.settled('h0', 'h1')
  })
  afterAll(() => rig.remove())

  const isMember = () => memberships(rig, 'h0').includes(group)

  it('joins it on the underlay device, and the endpoints reach each other through it', async () => {
    expect(isMember()).toBe(true)
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    expect(rig.ping('e1', 'fd01::1')).toBe(true)
    const toGroup = rig.status('h0').tunnels.find(({ vtep }) => vtep === group)
    expect(toGroup?.tx_packets).toBeGreaterThan(0)
  })

  it('joins again when somebody took the membership away', async () => {
    ip(`-n ${rig.ns('h0')} address del ${group}/${v6 ? 128 : 32} dev eth0`)
    await until('it is a member', isMember)
    await until('the repair is counted', () => (rig.status('h0').repairs['group'] ?? 0) > 0)
  })

  it('stays a member while no daemon runs, and without a change at the next start', async () => {
    await rig.kill(daemon)
    expect(isMember()).toBe(true)
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    daemon = rig.daemon('h0')
    await until('it is programmed', () => rig.isReady('h0'))
    expect(isMember()).toBe(true)
    expect(rig.status('h0').repairs['group'] ?? 0).toBe(0)
  })

  it('loses and duplicates nothing while the daemon is killed and started again', async () => {
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    const flow = rig.flow('e0', '10.1.0.2', FLOW)
    await rig.kill(daemon)
    daemon = rig.daemon('h0')
    await until('it is programmed', () => rig.isReady('h0'))
    expect(flow.isRunning()).toBe(true)
    expect(await flow.counts).toEqual({ sent: FLOW, received: FLOW, duplicates: 0 })
  })

  it('moves with the underlay device', async () => {
    const { assignments } = rig.controller
    const before = assignments.get('h0')!
    const isOn = (dev: string) => rig.run('h0', `ip maddress show dev ${dev}`).includes(group)
    assignments.set('h0', { ...before, underlay_dev: 'aaa0' })
    rig.controller.publish()
    await until('it is a member there alone', () => isOn('aaa0') && !isOn('eth0'))
    assignments.set('h0', before)
    rig.controller.publish()
    await until('it is back', () => isOn('eth0') && !isOn('aaa0'))
    await rig.settled('h0')
    await until('the endpoints reach each other', () => rig.ping('e1', '10.1.0.1'))
  })

  it('leaves with --detach-on-exit, and joins at the next start', async () => {
    await rig.kill(daemon)
    const last = rig.daemon('h0', ['--detach-on-exit'])
    await until('it is programmed', () => rig.isReady('h0'))
    expect(await rig.kill(last, 'SIGTERM')).toBe(0)
    expect(isMember()).toBe(false)
    expect(rig.run('h0', 'ip -6 route show table local')).not.toContain('ff05::1:1')
    daemon = rig.daemon('h0')
    await until('it is a member', isMember)
    await until('it is programmed', () => rig.isReady('h0'))
  })

  it('leaves when the segment has no group any more', async () => {
    rig.controller.segment(7)
    rig.controller.publish()
    await until('it is no member', () => !isMember())
    await rig.settled('h0', 'h1')
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
  })
})

describe('more groups than igmp_max_memberships', () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await new Rig().build()
    rig.run('h0', 'sysctl -q -w net.ipv4.igmp_max_memberships=20')
    const assignment = rig.controller.assignments.get('h0')!
    const [port] = assignment.ports
    const vnis = Array.from({ length: 24 }, (_, i) => 100 + i)
    for (const vni of vnis) rig.controller.segment(vni, { ...dataplane, group: `239.2.0.${vni}` as Ip })
    const ports = vnis.map((vni) => ({ ...port!, interface: `p${vni}`, vni }))
    rig.controller.assignments.set('h0', { ...assignment, ports: [...assignment.ports, ...ports] })
    rig.daemon('h0')
    await until('it applied', () => !!rig.controller.told.get('h0')?.applied.length)
  })
  afterAll(() => rig.remove())

  const joined = () => memberships(rig, 'h0').filter((group) => group.startsWith('239.2.')).length

  it('joins what it may and says what is missing, with the command', () => {
    expect(joined()).toBeGreaterThanOrEqual(19)
    const failure = rig.status('h0').failures.find(({ code }) => code === 'W-2114')
    expect(failure?.message).toMatch(/net.ipv4.igmp_max_memberships is 20, 24 groups are needed/)
    expect(failure?.next).toBe('sysctl -w net.ipv4.igmp_max_memberships=24')
  })

  it('joins the rest once the command was given', async () => {
    rig.run('h0', 'sysctl -q -w net.ipv4.igmp_max_memberships=24')
    await until('all are joined', () => joined() === 24)
  })
})

/** What the kernel has joined on any device, canonical text. */
function memberships(rig: Rig, host: string): string[] {
  const v4 = [...rig.run(host, 'cat /proc/net/igmp').matchAll(/^\s+([0-9A-F]{8})\s/gm)].map(([, hex]) =>
    Buffer.from(hex!, 'hex').reverse().join('.'),
  )
  const v6 = rig
    .run(host, 'cat /proc/net/igmp6')
    .split('\n')
    .map((line) => line.split(/\s+/)[2])
  return [...v4, ...v6.flatMap((hex) => (hex === 'ff050000000000000000000000010001' ? ['ff05::1:1'] : []))]
}

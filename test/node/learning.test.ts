import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { type Mac, parseMac } from '../../src/model/mac.js'
import type { SegmentSpec } from '../../src/model/segment-table.js'
import { abiDigest, maps } from '../../src/node/bpf/abi.gen.js'
import { BpfMap } from '../../src/node/bpf/map.js'
import { Rig, until } from './rig.js'

const one = parseMac('02:00:00:00:00:01')!
const two = parseMac('02:00:00:00:00:02')!
const dataplane: Partial<SegmentSpec> = { claim_macs: false, learn_tunnels: true }

async function start(spec: Partial<SegmentSpec>): Promise<Rig> {
  const rig = await new Rig().build()
  rig.controller.segment(7, spec)
  for (const host of ['h0', 'h1']) rig.daemon(host)
  await rig.settled('h0', 'h1')
  return rig
}

function pinned(rig: Rig) {
  const pins = `${rig.bpffs('h0')}/${abiDigest.slice(0, 12)}/maps`
  return {
    learned: BpfMap.open(`${pins}/learned`, maps.learned),
    snooped: BpfMap.open(`${pins}/snooped`, maps.snooped),
    states: BpfMap.open(`${pins}/port_states`, maps.port_states),
    forgotten: BpfMap.open(`${pins}/forgotten`, maps.forgotten),
  }
}

const drops = (rig: Rig, reason: string) =>
  rig.status('h0').verdicts.find((verdict) => verdict.reason === reason)?.packets ?? 0

/** Until an audit has gone through `learned` after now: it is what deletes an entry of a segment nobody has. */
async function audited({ learned }: ReturnType<typeof pinned>): Promise<void> {
  const mark = { vni: 99, mac: one }
  learned.set(mark, { ...learned.entries()[0]![1], moves: 0 })
  await until('it was audited', () => learned.get(mark) === undefined)
}

describe('a segment that learns in the dataplane', () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await start(dataplane)
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
  })
  afterAll(() => rig.remove())

  it('keeps what is behind a VTEP, through audits, and tells the controller nothing', async () => {
    const at = pinned(rig)
    await audited(at)
    expect(at.learned.get({ vni: 7, mac: two })).toMatchObject({ vtep: '10.99.0.2', ifindex: 0 })
    expect(rig.controller.told.get('h0')!.claims.flatMap(({ claims }) => claims)).toEqual([])
    expect(rig.controller.segments.get(7)!.entries.size).toBe(0)
  })

  it('answers with the journal of moves', async () => {
    // The station of e1 appears on tap0 of h0, and at home again.
    const mac = (name: string, address: string) => rig.run(name, `ip link set eth0 address ${address}`)
    mac('e0', '02:00:00:00:00:02')
    rig.ping('e0', '10.1.0.9')
    const place = { at: { interface: 'tap0' }, from: { vtep: '10.99.0.2' } }
    const moves = async () => {
      const [answer] = await rig.controller.ask('h0', { kind: 'learned', vni: 7, mac: two, limit: 10 })
      return answer?.kind === 'learned' ? answer.moves : []
    }
    await until('it is in the journal', async () => (await moves()).length > 0)
    // The station of e1 may have spoken meanwhile, and moved it back: that is a move too.
    expect((await moves()).at(-1)).toMatchObject({ vni: 7, mac: two, ...place })
    mac('e0', '02:00:00:00:00:01')
  })

  it('counts what a flood of MACs pushed out', async () => {
    const at = pinned(rig)
    const [, entry] = at.learned.entries()[0]!
    const sinceNs = Number(process.hrtime.bigint())
    const behind = { ...entry, vtep: '10.99.0.2' as Ip, ifindex: 0, sinceNs, seenNs: sinceNs }
    const flood = (first: number) =>
      Array.from(
        { length: 60_000 },
        (_, i) => [{ vni: 7, mac: (0x0200_0100_0000 + first + i) as Mac }, behind] as const,
      )
    at.learned.setMany(flood(0))
    await audited(at)
    at.learned.setMany(flood(60_000))
    const evictions = () =>
      (JSON.parse(rig.get('h0', '/api/v1/status')) as { map_evictions: Record<string, number> }).map_evictions
    await until('they are counted', () => evictions()['learned']! > 50_000)
    expect(rig.get('h0', '/metrics')).toMatch(/weft_bpf_map_evictions_total\{map="learned"\} [1-9]/)
    at.learned.deleteMany(at.learned.entries().map(([key]) => key))
  })

  it('forgets what is behind a VTEP with the VTEP', async () => {
    rig.ping('e0', '10.1.0.2')
    const { learned } = pinned(rig)
    rig.controller.segment(7, { ...dataplane, members: ['10.99.0.1' as Ip] })
    rig.controller.publish()
    await until('it is forgotten', () => learned.get({ vni: 7, mac: two }) === undefined)
  })
})

describe('what a port learned', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = await start({ mac_limit: 1, mac_ageing_s: 3 })
  })
  afterEach(() => rig.remove())

  it('ages, and makes room under the MAC limit, while no controller is there', async () => {
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    const { learned, forgotten } = pinned(rig)
    rig.controller.stop()
    rig.run('e0', 'ip link set eth0 address 02:00:00:00:00:0a')
    rig.ping('e0', '10.1.0.2')
    expect(drops(rig, 'drop_mac_limit')).toBeGreaterThan(0)
    await until('the first is forgotten', () => learned.get({ vni: 7, mac: one }) === undefined)
    await until('there is room', () => rig.ping('e0', '10.1.0.2'))
    expect(forgotten.entries()).toMatchObject([[{}, { macs: expect.any(Number) }]])
    await rig.controller.start()
    await until('the new one is claimed', () => rig.controller.segments.get(7)!.entries.size > 0)
  })

  it('goes with the port, and so do the counts of it', async () => {
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    const { states, forgotten, learned } = pinned(rig)
    expect(states.entries()).toMatchObject([[{}, { macsLearned: 1 }]])
    rig.run('h0', 'ip link delete tap0')
    await until('the counts are gone', () => states.entries().length === 0)
    expect(forgotten.entries()).toEqual([])
    await until('its MAC is', () => learned.entries().every(([, { ifindex }]) => ifindex === 0))
  })
})

describe('what the controller is told', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = await start({ suppress: true })
  })
  afterEach(() => rig.remove())

  const claims = () => rig.controller.told.get('h0')!.claims.flatMap((told) => told.claims)
  const addresses = () =>
    claims()
      .at(-1)
      ?.addresses.map(({ ip }) => ip) ?? []

  it('is told at once of a station that announces itself', async () => {
    rig.run('e0', 'sysctl -q -w net.ipv4.conf.eth0.arp_notify=1')
    rig.run('e0', 'ip link set eth0 down')
    rig.controller.segments.get(7)!.entries.set(one, { vtep: '10.99.0.2' as Ip, static: false })
    rig.controller.publish()
    await rig.settled('h0')
    rig.run('e0', 'ip link set eth0 up')
    await until('it is said', () => claims().some(({ mac, announced }) => mac === one && announced))
    expect(rig.controller.segments.get(7)!.entries.get(one)?.vtep).toBe('10.99.0.1')
  })

  it('is told of addresses as they come and go', async () => {
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    await until('the address is told', () => addresses().includes('10.1.0.1' as Ip))
    // An advertisement binds, and those are sent to who asks.
    expect(rig.ping('e1', 'fd01::1')).toBe(true)
    await until('both are told', () => addresses().includes('fd01::1' as Ip))
    expect(addresses()).toContain('10.1.0.1')
    const { snooped } = pinned(rig)
    snooped.delete({ vni: 7, ip: 'fd01::1' as Ip })
    await until('one is not any more', () => !addresses().includes('fd01::1' as Ip))
    expect(addresses()).toContain('10.1.0.1')
  })
})

import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { formatMac, parseMac } from '../../model/mac.js'
import { plainPort } from '../../model/segment.fixture.js'
import type { Claim, ClaimedAddress } from '../../rpc/records.js'
import { nodeState, type SegmentSketch } from '../reconcile/node-state.fixture.js'
import type { HeardMac, Surroundings } from './learned-judgement.js'
import { LocalMacs } from './local-macs.js'

const text = '02:00:00:00:00:01'
const SECOND = 1e9

function around(nowS: number, segment: Partial<SegmentSketch> = {}): Surroundings {
  const state = nodeState({ segments: [{ vni: 7, ...segment }] })
  const ports = new Map(
    [4, 5].map((ifindex) => {
      const device = { ifindex, name: `tap${ifindex}`, mtu: 1450, up: true }
      return [ifindex, { ...plainPort(device.name, 7), ifindex, mtu: 1450, device }]
    }),
  )
  return { state, ports, nowNs: nowS * SECOND }
}

function heard(over: { ifindex?: number; since?: number; seen?: number; vni?: number } = {}): HeardMac {
  const since = over.since ?? 100
  return {
    vni: over.vni ?? 7,
    mac: parseMac(text)!,
    ifindex: over.ifindex ?? 4,
    vtep: '::' as Ip,
    sinceNs: since * SECOND,
    seenNs: (over.seen ?? since) * SECOND,
  }
}

function say(claims: readonly Claim[]): string[] {
  return claims.map((c) => `${c.withdraw ? 'withdraw' : 'claim'} ${c.vni} ${formatMac(c.mac)} ${c.interface}`)
}

describe('LocalMacs', () => {
  it('claims what it hears, once', () => {
    const macs = new LocalMacs()
    expect(macs.hear(heard(), around(100))).toMatchObject({ vni: 7, interface: 'tap4', withdraw: false })
    expect(macs.hear(heard(), around(100))).toBeUndefined()
    expect(macs.audit([heard()], around(101))).toMatchObject({ claims: [], forget: [] })
  })

  it('claims again when the MAC moves to another of its ports', () => {
    const macs = new LocalMacs()
    macs.hear(heard(), around(100))
    expect(macs.hear(heard({ ifindex: 5 }), around(101))?.interface).toBe('tap5')
  })

  it('finds in an audit what no event told of, and gives everything again after a reset', () => {
    const macs = new LocalMacs()
    expect(say(macs.audit([heard()], around(100)).claims)).toEqual([`claim 7 ${text} tap4`])
    expect(macs.audit([heard()], around(101)).claims).toEqual([])
    macs.reset()
    expect(say(macs.audit([heard()], around(102)).claims)).toEqual([`claim 7 ${text} tap4`])
  })

  it('withdraws and forgets what was silent for longer than the segment allows', () => {
    const macs = new LocalMacs()
    macs.hear(heard(), around(100))
    const { claims, forget } = macs.audit([heard()], around(401))
    expect(say(claims)).toEqual([`withdraw 7 ${text} tap4`])
    expect(forget).toHaveLength(1)
  })

  it('goes on claiming what a full map gave up, counts it once, and withdraws it when its time is over', () => {
    const macs = new LocalMacs()
    macs.audit([heard()], around(100))
    expect(macs.audit([], around(200)).claims).toEqual([])
    expect(macs.audit([], around(300)).claims).toEqual([])
    expect(macs.evictions).toBe(1)
    expect(say(macs.audit([], around(401)).claims)).toEqual([`withdraw 7 ${text} tap4`])
    expect(macs.evictions).toBe(1)
  })

  it('gives what a full map gave up to a new stream too', () => {
    const macs = new LocalMacs()
    macs.audit([heard()], around(100))
    macs.audit([], around(200))
    macs.reset()
    expect(say(macs.audit([], around(202)).claims)).toEqual([`claim 7 ${text} tap4`])
    expect(macs.audit([], around(204)).claims).toEqual([])
    expect(macs.evictions).toBe(1)
  })

  it('withdraws nothing from a new stream that was never told of it', () => {
    const macs = new LocalMacs()
    macs.audit([heard()], around(100))
    macs.reset()
    expect(macs.audit([], around(401)).claims).toEqual([])
  })

  it('keeps no more of what a full map gave up than it was told to, those claimed first', () => {
    const macs = new LocalMacs(() => [], 2)
    const all = [1, 2, 3].map((i) => ({ ...heard(), mac: parseMac(`02:00:00:00:00:0${i}`)! }))
    macs.audit(all, around(100))
    expect(say(macs.audit([], around(102)).claims)).toEqual(['withdraw 7 02:00:00:00:00:03 tap4'])
    expect(macs.evictions).toBe(3)
  })

  it('keeps a silent MAC for ever when the segment does not age', () => {
    const macs = new LocalMacs()
    expect(macs.audit([heard()], around(1e6, { ageing: 0 })).claims).toHaveLength(1)
  })

  it('forgets what was heard on a device that is no port of that segment now', () => {
    const macs = new LocalMacs()
    expect(macs.audit([heard({ ifindex: 99 })], around(100)).forget).toHaveLength(1)
    expect(macs.audit([heard({ vni: 8 })], around(100)).forget).toHaveLength(1)
  })

  it('lets go of a MAC that the controller placed elsewhere, without withdrawing it there', () => {
    const macs = new LocalMacs()
    macs.hear(heard(), around(100))
    const moved = around(110, { entries: [[text, '10.0.0.2']] })
    expect(macs.audit([heard()], moved)).toMatchObject({ claims: [], forget: [{ vni: 7 }] })
  })

  it('does not claim back, after a reconnect, what moved away while it was silent here', () => {
    const macs = new LocalMacs()
    const moved = around(110, { entries: [[text, '10.0.0.2']] })
    expect(macs.audit([heard({ since: 10, seen: 90 })], moved).claims).toEqual([])
  })

  it('claims a MAC back when it is heard here anew', () => {
    const macs = new LocalMacs()
    macs.hear(heard(), around(100))
    const moved = around(110, { entries: [[text, '10.0.0.2']] })
    expect(macs.hear(heard({ since: 110 }), moved)).toBeDefined()
  })

  it('claims again after a while when no answer came', () => {
    const macs = new LocalMacs()
    macs.hear(heard(), around(100))
    expect(macs.audit([heard()], around(105)).claims).toEqual([])
    expect(macs.audit([heard()], around(111)).claims).toHaveLength(1)
    const answered = around(130, { entries: [[text, '10.0.0.1']] })
    expect(macs.audit([heard()], answered).claims).toEqual([])
  })

  it('never claims what is declared static, here or elsewhere', () => {
    const macs = new LocalMacs()
    for (const vtep of ['10.0.0.1', '10.0.0.2']) {
      expect(macs.hear(heard(), around(100, { entries: [[text, vtep, true]] }))).toBeUndefined()
    }
  })

  it('tells of a station that announces itself at once, though it was claimed before and placed elsewhere', () => {
    const macs = new LocalMacs()
    macs.hear(heard(), around(100))
    expect(macs.hear(heard(), around(100.1), true)).toMatchObject({ announced: true })
    const elsewhere = around(100.2, { entries: [[text, '10.0.0.2']] })
    expect(macs.hear(heard(), elsewhere, true)).toMatchObject({ announced: true })
    expect(macs.hear(heard(), around(100.3, { entries: [[text, '10.0.0.1']] }), true)).toBeUndefined()
    macs.reset()
    expect(macs.audit([heard()], around(101)).claims).toMatchObject([{ announced: false }])
  })

  it('claims again when the addresses of a MAC change, and only then', () => {
    let addresses: ClaimedAddress[] = []
    const macs = new LocalMacs(() => addresses)
    const mac = { vni: 7, mac: parseMac(text)! }
    expect(macs.readdress(mac, around(100))).toBeUndefined()
    macs.hear(heard(), around(100))
    const known = around(101, { entries: [[text, '10.0.0.1']] })
    expect(macs.readdress(mac, known)).toBeUndefined()
    addresses = [{ ip: '10.1.0.1' as Ip, router: false }]
    expect(macs.readdress(mac, known)).toMatchObject({ addresses })
    expect(macs.audit([heard()], known).claims).toEqual([])
    addresses = [{ ip: '10.1.0.1' as Ip, router: true }]
    expect(macs.audit([heard()], known).claims).toMatchObject([{ addresses }])
  })

  it('keeps to itself what is heard in a segment that claims nothing, and withdraws when claiming ends', () => {
    const macs = new LocalMacs()
    const silent = around(100, { spec: { claim_macs: false } })
    expect(macs.hear(heard(), silent, true)).toBeUndefined()
    expect(macs.audit([heard()], silent)).toMatchObject({ claims: [], forget: [], kept: [heard()] })
    macs.hear(heard(), around(100))
    expect(say(macs.audit([heard()], silent).claims)).toEqual([`withdraw 7 ${text} tap4`])
  })

  it('counts what stays on each port', () => {
    const all = [1, 2, 3].map((i) => ({ ...heard(), mac: parseMac(`02:00:00:00:00:0${i}`)! }))
    const audit = new LocalMacs().audit([...all, heard({ ifindex: 5 }), heard({ ifindex: 99 })], around(100))
    expect([...audit.onPorts]).toEqual([
      [4, 3],
      [5, 1],
    ])
  })

  it('claims nothing in a segment that does not learn', () => {
    expect(new LocalMacs().hear(heard(), around(100, { learn: false }))).toBeUndefined()
  })
})

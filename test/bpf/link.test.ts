import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type AttachOptions, attach, detach, readAttachment, update } from '../../src/node/bpf/attach.js'
import { BpfObject, type BpfProgram } from '../../src/node/bpf/object.js'
import { countPrograms } from '../../src/node/bpf/prog-query.js'
import { type Fixture, makeFixture, specs } from './ffi-fixture.js'
import { enterOwnNetwork, ifindexOf, ip } from './own-network.js'

let fixture: Fixture
let object: BpfObject
let first: BpfProgram
let second: BpfProgram
let ifindex: number
let pin: string
let round = 0

beforeAll(() => {
  enterOwnNetwork()
  fixture = makeFixture()
})
afterAll(() => fixture.remove())
beforeEach(() => {
  object = BpfObject.open(fixture.compile('ffi'), { pinRoot: join(fixture.bpffs, `${++round}`) })
  object.load()
  first = object.program('first')
  second = object.program('second')
  ip('link add lk-a type veth peer name lk-b')
  ip('link set lk-a up')
  ip('link set lk-b up')
  ifindex = ifindexOf('lk-b')
  pin = join(fixture.bpffs, `${round}`, 'link')
  onTestFinished(() => {
    object[Symbol.dispose]()
    if (ip('link show').includes('lk-a')) ip('link del lk-a')
  })
})

function hook(): AttachOptions {
  return { program: first, ifindex, direction: 'ingress', pin }
}

/** Sends frames into lk-a, so that lk-b receives them; resolves when all are sent. */
async function send(count: number): Promise<void> {
  const script = `
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("lk-a", 0))
frame = bytes.fromhex("02000000000902000000000188b5") + bytes(50)
for _ in range(${count}):
    while True:
        try:
            s.send(frame)
            break
        except OSError as err:
            if err.errno != 105: raise
`
  const child = spawn('python3', ['-c', script], { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number]
  expect(code).toBe(0)
}

function packets(program: 1 | 2): number {
  return object.perCpuMap('counts', specs.counts).getSummed({ id: program })?.packets ?? 0
}

describe.each(['tcx', 'clsact'] as const)('attach by %s', (mechanism) => {
  it('makes the program run, and tells so', async () => {
    expect(attach({ ...hook(), mechanism })).toEqual({ ifindex, programId: first.id, mechanism })
    expect(readAttachment(hook())).toEqual({ ifindex, programId: first.id, mechanism })
    await send(10)
    expect(packets(1)).toBe(10)
  })

  it('outlives the object and its descriptors', () => {
    attach({ ...hook(), mechanism })
    object[Symbol.dispose]()
    expect(readAttachment(hook())).toEqual({ ifindex, programId: first.id, mechanism })
  })

  it('is idempotent', () => {
    attach({ ...hook(), mechanism })
    attach({ ...hook(), mechanism })
    expect(readAttachment(hook())?.programId).toBe(first.id)
  })

  it('adopts what an earlier process attached, and puts its program in place', async () => {
    attach({ ...hook(), mechanism })
    attach({ ...hook(), program: second, mechanism })
    expect(readAttachment(hook())?.programId).toBe(second.id)
    await send(5)
    expect([packets(1), packets(2)]).toEqual([0, 5])
  })

  it('is undone by detach, twice', async () => {
    attach({ ...hook(), mechanism })
    detach(hook())
    detach(hook())
    expect(readAttachment(hook())).toBeUndefined()
    expect(existsSync(pin)).toBe(false)
    await send(5)
    expect(packets(1)).toBe(0)
  })

  it('works on egress as well', () => {
    const egress = { ...hook(), direction: 'egress' as const, mechanism }
    attach(egress)
    expect(readAttachment(egress)?.programId).toBe(first.id)
    detach(egress)
  })

  it('replaces in one step: under traffic each frame meets one program', async () => {
    attach({ ...hook(), mechanism })
    let sent = false
    const sending = send(50_000).then(() => {
      sent = true
    })
    let swaps = 0
    while (!sent) {
      for (let i = 0; i < 20; i++) update({ ...hook(), program: swaps++ % 2 === 0 ? second : first })
      await nextTurn()
    }
    await sending
    expect(swaps).toBeGreaterThan(100)
    expect(packets(1) + packets(2)).toBe(50_000)
    expect(Math.min(packets(1), packets(2))).toBeGreaterThan(0)
  })

  it('is gone with its device, which nothing mistakes for another', () => {
    attach({ ...hook(), mechanism })
    ip('link del lk-a')
    expect(readAttachment(hook())).toBeUndefined()
    detach(hook())
  })

  it('names the errno for a device that is not there', () => {
    expect(() => attach({ ...hook(), ifindex: 4_000_000, mechanism })).toThrow(
      /ingress of ifindex 4000000.*ENODEV/,
    )
  })
})

describe('a pinned link', () => {
  it('of a removed device refuses updates and is made anew by attach', () => {
    attach(hook())
    ip('link del lk-a')
    expect(existsSync(pin)).toBe(true)
    expect(() => update({ ...hook(), program: second })).toThrow('ENOLINK')

    ip('link add lk-a type veth peer name lk-b')
    ifindex = ifindexOf('lk-b')
    attach(hook())
    expect(readAttachment(hook())).toEqual({ ifindex, programId: first.id, mechanism: 'tcx' })
  })

  it('of another device is not taken for this one', () => {
    attach(hook())
    const other = ifindexOf('lk-a')
    expect(readAttachment({ ...hook(), ifindex: other })).toBeUndefined()
    attach({ ...hook(), ifindex: other })
    expect(readAttachment({ ...hook(), ifindex: other })?.ifindex).toBe(other)
    expect(countPrograms(ifindex, 'ingress')).toBe(0)
  })

  it('runs beside those of others', () => {
    attach(hook())
    attach({ ...hook(), program: second, pin: `${pin}-2` })
    expect(countPrograms(ifindex, 'ingress')).toBe(2)
  })
})

describe('a change of mechanism', () => {
  it.each([
    ['clsact', 'tcx'],
    ['tcx', 'clsact'],
  ] as const)('from %s to %s leaves one program running, not two', async (from, to) => {
    attach({ ...hook(), mechanism: from })
    attach({ ...hook(), mechanism: to })
    expect(readAttachment(hook())?.mechanism).toBe(to)
    await send(7)
    expect(packets(1)).toBe(7)
  })
})

describe('a change from clsact to tcx under traffic', () => {
  it('shows each frame to one program, and none to two', async () => {
    attach({ ...hook(), mechanism: 'clsact' })
    const sending = send(50_000)
    await vi.waitFor(() => expect(packets(1)).toBeGreaterThan(0), { timeout: 10_000, interval: 1 })
    attach({ ...hook(), mechanism: 'tcx' })
    const before = packets(1)
    await sending
    expect(before).toBeLessThan(50_000)
    expect(packets(1)).toBe(50_000)
  })
})

describe('update', () => {
  it('says that nothing is attached', () => {
    expect(() => update(hook())).toThrow('ENOENT')
  })
})

describe('detach', () => {
  it('leaves filters of others, and the qdisc, alone', () => {
    attach({ ...hook(), mechanism: 'clsact' })
    tc('filter add dev lk-b ingress prio 6 protocol all u32 match u32 0 0')
    detach(hook())
    expect(tc('filter show dev lk-b ingress')).toContain('pref 6 u32')
    expect(tc('filter show dev lk-b ingress')).not.toContain('bpf')
  })
})

function tc(command: string): string {
  return execFileSync('tc', command.split(' '), { encoding: 'utf8' })
}

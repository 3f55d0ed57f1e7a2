import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CaptureLine, captureLine, type Fanout, fanout, type Trace, trace } from '../../api/frames.js'
import type { MacItem } from '../../api/items.js'
import { type MacDetail, macDetail } from '../../api/journal.js'
import type { Ip } from '../../model/ip.js'
import { parseMac } from '../../model/mac.js'
import type { AnswerBody, FrameRecord, LearnedMac, Question, SimulateAnswer } from '../../rpc/questions.js'
import type { MacEntry } from '../control.js'
import { bridge, HttpBench } from './http-bench.fixture.js'

let bench: HttpBench
beforeEach(async () => {
  bench = await HttpBench.start()
  // Every host has one port of red, tap0, and MACs that the dataplane learns.
  await bench.put('bridge-unicast', bridge)
  bench.control.macList = [station]
})
afterEach(() => bench[Symbol.asyncDispose]())

const station: MacEntry = {
  network: 'red',
  vni: 10_000,
  mac: '02:00:00:01:00:01',
  type: 'port',
  node: 'host0',
  interface: 'tap0',
  vtep: '172.16.1.100' as Ip,
  learned: 'control',
  seq: 0,
  ips: [],
  flags: '',
}
const target = '02:00:00:01:00:09'

function simulated(reason: string, next: SimulateAnswer['next']): SimulateAnswer {
  return {
    kind: 'simulate',
    program: 'port_ingress',
    reason,
    looked_up: [],
    next,
    group: undefined,
    revision: 7n,
  }
}

function frame(program: string, reason: string, where: string): FrameRecord {
  const at_ns = 1_000_000n
  return {
    at_ns,
    vni: 10_000,
    program,
    reason,
    interface: where,
    vtep: undefined,
    length: 98,
    bytes: new Uint8Array(),
  }
}

/** A node that answers each kind of question with these. */
function node(name: string, answers: Partial<Record<Question['kind'], readonly AnswerBody[]>>): Question[] {
  const asked: Question[] = []
  bench.control.answers.set(name, (question) => {
    asked.push(question)
    return answers[question.kind] ?? []
  })
  return asked
}
const seen = (...frames: FrameRecord[]): AnswerBody[] => [
  { kind: 'tap', frames: [], lost: 0 },
  { kind: 'tap', frames, lost: 0 },
]
const delivered = frame('port_egress', 'deliver_port', 'tap0')

async function post<T>(url: string, payload: object): Promise<{ status: number; body: T }> {
  const response = await bench.app.inject({ method: 'POST', url, payload })
  return { status: response.statusCode, body: response.json() }
}

describe('a trace', () => {
  beforeEach(() => {
    node('host0', {
      simulate: [simulated('forward_tunnel', [{ vtep: '172.16.1.102' as Ip }])],
      inject: [{ kind: 'inject', sent: 1 }],
      tap: seen(frame('port_ingress', 'forward_tunnel', 'tap0')),
    })
    node('host1', { tap: seen() })
    node('host2', {
      simulate: [{ ...simulated('forward_local', [{ interface: 'tap0' }]), program: 'tunnel_ingress' }],
      tap: seen(frame('tunnel_ingress', 'forward_local', 'weft-vxlan'), delivered),
    })
  })
  const ask = (more = {}) =>
    post<Trace>('/api/v1/traces', { from: 'host0/tap0', to: target, count: 1, ...more })

  it('follows the tables of the nodes and the probes, and finds that they agree', async () => {
    const { status, body } = await ask()
    expect(status).toBe(200)
    expect(trace.parse(body)).toMatchObject({
      network: 'red',
      delivered: true,
      differences: [],
      silent: [],
      from: { node: 'host0', interface: 'tap0', mac: station.mac },
      simulated: {
        hops: [
          { hop: 0, node: 'host0', reason: 'forward_tunnel', next: ['172.16.1.102'] },
          { hop: 1, node: 'host2', where: '172.16.1.100', reason: 'forward_local' },
        ],
        delivered: [{ node: 'host2', interface: 'tap0' }],
      },
      live: { probes: 1, delivered: [{ node: 'host2', interface: 'tap0', frames: 1 }] },
    })
  })

  it('says where the probes met something else than the tables say', async () => {
    node('host2', {
      simulate: [{ ...simulated('forward_local', [{ interface: 'tap0' }]), program: 'tunnel_ingress' }],
      tap: seen(frame('tunnel_ingress', 'drop_unknown_vtep', 'weft-vxlan')),
    })
    const { body } = await ask()
    expect(body.delivered).toBe(false)
    expect(body.differences).toEqual([
      'the tables of host2 say forward_local, and the probes met drop_unknown_vtep (1 of 1)',
      'host2/tap0 should get each of 1 probes once, and got 0',
    ])
  })

  it('takes the fast path for what it is: the same, by another program', async () => {
    node('host2', {
      simulate: [{ ...simulated('forward_local', [{ interface: 'tap0' }]), program: 'tunnel_ingress' }],
      tap: seen(frame('underlay_ingress', 'forward_local', 'eth0'), delivered),
    })
    expect((await ask()).body).toMatchObject({ delivered: true, differences: [] })
  })

  it('counts probes of both paths together', async () => {
    const [slow, fast] = ['tunnel_ingress', 'underlay_ingress'].map((program) =>
      frame(program, 'forward_local', 'weft-vxlan'),
    ) as [FrameRecord, FrameRecord]
    const sent = frame('port_ingress', 'forward_tunnel', 'tap0')
    node('host0', {
      simulate: [simulated('forward_tunnel', [{ vtep: '172.16.1.102' as Ip }])],
      inject: [{ kind: 'inject', sent: 2 }],
      tap: seen(sent, sent),
    })
    node('host2', {
      simulate: [{ ...simulated('forward_local', [{ interface: 'tap0' }]), program: 'tunnel_ingress' }],
      tap: seen(slow, fast, delivered, delivered),
    })
    expect((await ask({ count: 2 })).body).toMatchObject({ delivered: true, differences: [] })
  })

  it('sends no probe when only the tables are asked', async () => {
    const asked = node('host0', { simulate: [simulated('drop_no_member', [])] })
    const { body } = await ask({ mode: 'simulate' })
    expect(body).toMatchObject({ delivered: false, live: null })
    expect(asked.map(({ kind }) => kind)).toEqual(['simulate'])
  })

  it('names the nodes that did not answer', async () => {
    bench.control.answers.delete('host1')
    expect((await ask()).body).toMatchObject({ delivered: true, silent: [{ node: 'host1', code: 'W-3015' }] })
  })

  it.each([
    [{ from: 'host0/tap9' }, 404, 'there is no port host0/tap9, did you mean "host0/tap0"?'],
    [{ from: '99.9.9.9' }, 404, 'nobody in any network is known as 99.9.9.9'],
    [{ to: '99.9.9.9' }, 404, 'nobody in network red is known as 99.9.9.9'],
    [
      { from: 'host1/tap0' },
      400,
      'no station is known on host1/tap0: a probe would teach a MAC that is none',
    ],
    [{ count: 0 }, 400, undefined],
    [{ size: 9000 }, 400, undefined],
  ])('refuses %j', async (more, status, detail) => {
    const refused = await post<{ detail: string }>('/api/v1/traces', {
      from: 'host0/tap0',
      to: target,
      ...more,
    })
    expect(refused.status).toBe(status)
    if (detail !== undefined) expect(refused.body.detail).toBe(detail)
  })

  it('wants to know which network, when two have the MAC', async () => {
    bench.control.macList = [station, { ...station, network: 'blue', vni: 10_001, interface: 'twin' }]
    expect((await ask({ from: station.mac })).status).toBe(400)
    expect((await ask({ from: station.mac, network: 'red' })).body).toMatchObject({ network: 'red' })
  })
})

describe('a proof of fan-out', () => {
  const ask = async () => (await post<Fanout>('/api/v1/fanouts', { network: 'red' })).body
  beforeEach(() => {
    node('host0', { inject: [{ kind: 'inject', sent: 1 }], tap: seen() })
    for (const name of ['host1', 'host2']) node(name, { tap: seen(delivered) })
  })

  it('is exact when each other port got one copy, and the sender none', async () => {
    const body = await ask()
    expect(fanout.parse(body)).toMatchObject({ exact: true, from: { node: 'host0', interface: 'tap0' } })
    expect(body.ports.map(({ node: name, copies }) => [name, copies])).toEqual([
      ['host0', 0],
      ['host1', 1],
      ['host2', 1],
    ])
  })

  it.each<[string, () => unknown, [string, number | null]]>([
    ['a copy too many', () => node('host2', { tap: seen(delivered, delivered) }), ['host2', 2]],
    ['a copy missing', () => node('host2', { tap: seen() }), ['host2', 0]],
    ['a node that does not answer', () => bench.control.answers.delete('host2'), ['host2', null]],
    [
      'a copy back to the sender',
      () => node('host0', { inject: [{ kind: 'inject', sent: 1 }], tap: seen(delivered) }),
      ['host0', 1],
    ],
  ])('is not exact with %s', async (_, spoil, wrong) => {
    spoil()
    const { exact, ports } = await ask()
    expect(exact).toBe(false)
    expect(
      ports.filter((port) => port.copies !== port.expected).map((port) => [port.node, port.copies]),
    ).toEqual([wrong])
  })
})

describe('a capture', () => {
  const lines = async (url: string): Promise<CaptureLine[]> => {
    const response = await bench.get(url)
    expect(response.headers['content-type']).toBe('application/x-ndjson')
    return response.body
      .trim()
      .split('\n')
      .map((line) => captureLine.parse(JSON.parse(line)))
  }

  it('is a line for each batch of frames', async () => {
    const asked = node('host0', {
      tap: seen({ ...frame('port_ingress', 'drop_no_member', 'tap0'), bytes: Uint8Array.of(1) }),
    })
    const [first, second] = await lines('/api/v1/captures?node=host0&interface=tap0&snaplen=64')
    expect(first).toEqual({ frames: [], lost: 0 })
    expect(second!.frames).toMatchObject([{ at_ns: '1000000', reason: 'drop_no_member', bytes: 'AQ==' }])
    expect(asked).toMatchObject([{ interface: 'tap0', snaplen: 64, deliveries: true, duration_ms: 60_000 }])
  })

  it('ends with the reason when the node goes', async () => {
    expect(await lines('/api/v1/captures?node=host0')).toMatchObject([
      { frames: [], error: { code: 'W-3015' } },
    ])
  })

  it('is refused for a node that is none', async () => {
    expect((await bench.get('/api/v1/captures?node=host9')).statusCode).toBe(404)
  })
})

describe('MACs that the dataplane learned', () => {
  const learned = (more: Partial<LearnedMac>): LearnedMac => ({
    vni: 10_000,
    mac: parseMac(target)!,
    at: { vtep: '172.16.1.102' as Ip },
    from: undefined,
    moves: 0,
    since_ms: 90_000,
    seen_ms: 2_000,
    ...more,
  })
  const answer = (...macs: LearnedMac[]): AnswerBody[] => [{ kind: 'learned', macs, moves: [], left_out: 0 }]
  const items = async (): Promise<{ items: MacItem[]; silent?: object[] }> =>
    (await bench.get('/api/v1/macs')).json()
  const dataplane = bridge.replace(/learning: control.*/, 'learning: dataplane')

  beforeEach(async () => {
    bench.control.macList = []
    await bench.put('bridge-unicast', dataplane)
    for (const name of ['host0', 'host1']) node(name, { learned: answer(learned({})) })
    node('host2', { learned: answer(learned({ at: { interface: 'tap0' } })) })
  })

  it('are asked from the nodes: the one that has it on a port knows where and since when', async () => {
    const { items: all, silent } = await items()
    expect(all).toHaveLength(1)
    expect(all[0]).toMatchObject({
      mac: target,
      type: 'port',
      node: 'host2',
      interface: 'tap0',
      vtep: '172.16.1.102',
      learned: 'dataplane',
      since_s: 90,
      seen_s: 2,
      flags: '',
    })
    expect(silent).toBeUndefined()
  })

  it('are where they moved last; a place that hears it since then too is contested', async () => {
    const here = { at: { interface: 'tap0' }, moves: 1, since_ms: 5_000, seen_ms: 100 }
    node('host1', { learned: answer(learned(here)) })
    expect((await items()).items).toMatchObject([{ node: 'host1', seq: 1, flags: 'MD' }])
    node('host2', { learned: answer(learned({ at: { interface: 'tap0' }, seen_ms: 6_000 })) })
    expect((await items()).items).toMatchObject([{ node: 'host1', flags: 'M' }])
  })

  it('behind a VTEP that Weft does not run are remote', async () => {
    bench.control.answers.delete('host2')
    node('host0', { learned: answer(learned({ at: { vtep: '192.0.2.77' as Ip } })) })
    node('host1', { learned: answer() })
    expect(await items()).toMatchObject({
      items: [{ type: 'remote', node: null, vtep: '192.0.2.77', flags: 'E' }],
      silent: [{ node: 'host2', code: 'W-3015' }],
    })
  })

  it('have a journal of the nodes, who saw each move for themselves', async () => {
    const move = { vni: 10_000, mac: parseMac(target)!, announced: true, ago_ms: 5_000 }
    const [here, there] = [{ interface: 'tap0' }, { vtep: '172.16.1.102' as Ip }]
    const moves = [{ ...move, at: here, from: there }]
    node('host1', { learned: [{ kind: 'learned', macs: [learned({ at: here })], moves, left_out: 0 }] })
    bench.control.answers.delete('host2')
    const body: MacDetail = (await bench.get(`/api/v1/macs/${target}`)).json()
    expect(macDetail.parse(body)).toMatchObject({
      networks: [
        {
          network: 'red',
          place: { node: 'host1' },
          journal: [{ where: 'host1', event: 'moved', from: 'host2', to: 'host1/tap0', announced: true }],
        },
      ],
      silent: [{ node: 'host2', code: 'W-3015' }],
    })
  })

  it('are not asked for when another network is wanted', async () => {
    const asked = node('host0', { learned: answer() })
    await bench.get('/api/v1/macs?network=blue')
    expect(asked).toEqual([])
  })
})

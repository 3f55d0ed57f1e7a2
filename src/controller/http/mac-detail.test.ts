import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { macDetail } from '../../api/journal.js'
import { problem } from '../../api/problem.js'
import type { Ip } from '../../model/ip.js'
import { bridge, HttpBench } from './http-bench.fixture.js'

const MAC = '02:00:00:01:00:02'
const at = Date.parse('2026-11-21T02:37:30.120Z')

let bench: HttpBench
beforeEach(async () => {
  bench = await HttpBench.start()
  await bench.put('bridge-unicast', bridge)
  bench.control.macList = [
    {
      network: 'red',
      vni: 10_000,
      mac: MAC,
      type: 'port',
      node: 'host1',
      interface: 'tap0',
      vtep: '172.16.1.101' as Ip,
      learned: 'control',
      seq: 1,
      ips: ['99.1.0.2', 'fd00::2'],
      since_s: 9,
      flags: 'M',
    },
  ]
  bench.control.macRecords = [
    { vni: 77, events: [{ at, event: 'thawed', seq: 5 }] },
    {
      vni: 10_000,
      frozen_until: at + 180_000,
      events: [
        { at, event: 'moved', from: 'host0/tap0', to: 'host1/tap0', seq: 1, announced: true },
        {
          at: at + 5,
          event: 'refused',
          from: 'host1/tap0',
          to: 'host0/tap0',
          seq: 1,
          reason: 'late',
          count: 2,
          last_at: at + 1005,
        },
      ],
    },
  ]
  bench.control.changed()
})
afterEach(() => bench[Symbol.asyncDispose]())

describe('one MAC', () => {
  it('has its place and its journal in each network, with who said what', async () => {
    const answer = await bench.get(`/api/v1/macs/${MAC.toUpperCase()}`)
    expect(answer.statusCode).toBe(200)
    const { networks } = macDetail.strict().parse(answer.json())
    expect(networks).toMatchObject([
      { network: null, vni: 77, place: null, frozen_until: null, journal: [{ event: 'thawed', by: null }] },
      {
        network: 'red',
        place: { node: 'host1', seq: 1, ip: ['99.1.0.2', 'fd00::2'] },
        frozen_until: '2026-11-21T02:40:30.120Z',
        journal: [
          {
            at: '2026-11-21T02:37:30.120Z',
            where: 'controller',
            event: 'moved',
            by: 'host1',
            announced: true,
          },
          { event: 'refused', by: 'host0', reason: 'late', count: 2, last_at: '2026-11-21T02:37:31.125Z' },
        ],
      },
    ])
  })

  it('may be asked for in one network', async () => {
    const { networks } = (await bench.get(`/api/v1/macs/${MAC}?network=red`)).json()
    expect(networks).toMatchObject([{ vni: 10_000 }])
    const other = await bench.get(`/api/v1/macs/${MAC}?network=blue`)
    expect(other.statusCode).toBe(404)
    expect(problem.parse(other.json())).toMatchObject({
      code: 'W-3007',
      detail: `there is no MAC ${MAC} in network "blue", nor one on record`,
    })
  })

  it('that is none is refused', async () => {
    expect((await bench.get('/api/v1/macs/02:00:00')).statusCode).toBe(400)
  })
})

describe('the list of MACs', () => {
  it('has those with an address, whichever of theirs it is', async () => {
    for (const ip of ['99.1.0.2', 'fd00::2']) {
      expect((await bench.get(`/api/v1/macs?ip=${ip}`)).json().items).toHaveLength(1)
    }
    expect((await bench.get('/api/v1/macs?ip=99.1.0.3')).json().items).toEqual([])
  })
})

import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeDetail } from '../../api/items.js'
import { listOf, lists } from '../../api/list.js'
import { problem } from '../../api/problem.js'
import { status } from '../../api/status.js'
import type { Ip } from '../../model/ip.js'
import type { NodeStatus } from '../control.js'
import { bridge, HttpBench, host } from './http-bench.fixture.js'
import type { MemoryControl } from './memory-control.fixture.js'

let bench: HttpBench
let control: MemoryControl
let app: FastifyInstance

beforeEach(async () => {
  bench = await HttpBench.start()
  control = bench.control
  app = bench.app
})
afterEach(() => bench[Symbol.asyncDispose]())

const get = (url: string, headers = {}) => bench.get(url, headers)
const put = (...args: Parameters<HttpBench['put']>) => bench.put(...args)

function reporting(name: string, at: number, packets: number): NodeStatus {
  return host(name, {
    report_at: new Date(at).toISOString(),
    report: {
      tunnels: [
        {
          vni: 10_000,
          vtep: '172.16.1.101' as Ip,
          tx_packets: packets,
          tx_bytes: packets * 100,
          tx_flooded: 1,
          rx_packets: 0,
          rx_bytes: 0,
          rx_flooded: 0,
          tx_fast: 0,
          rx_fast: 0,
        },
      ],
      verdicts: [
        { vni: 10_000, program: 'port_ingress', reason: 'forward_tunnel', packets, bytes: 1 },
        { vni: 0, program: 'tunnel_ingress', reason: 'drop_unknown_vni', packets, bytes: packets * 60 },
      ],
      ports: [{ interface: 'tap0', vni: 10_000, state: 'up', mtu: 1450, ifindex: 7 }],
      programs: [
        { program: 'port_ingress', interface: 'tap0', direction: 'ingress', id: 5, mechanism: 'tcx' },
      ],
      maps: [{ map: 'fdb', entries: 3, max_entries: 131_072 }],
      events_lost: 4,
      paths: [],
      losses: [
        { kind: 'copy', count: 2 },
        { kind: 'learned', count: 0 },
      ],
      tunnel_mtu: 1450,
    },
  })
}

describe('lists', () => {
  beforeEach(async () => {
    await put('bridge-unicast', bridge)
    control.nodeList = [
      reporting('host0', 1000, 10),
      host('host1', { applied_revision: 1n }),
      host('stray', { declared: false }),
    ]
    control.macList = [
      {
        network: 'red',
        vni: 10_000,
        mac: '02:00:00:01:00:02',
        type: 'port',
        node: 'host0',
        interface: 'tap0',
        vtep: '172.16.1.100' as Ip,
        learned: 'control',
        seq: 3,
        ips: ['99.1.0.1', 'fd00::1'],
        since_s: 2,
        flags: 'M',
      },
      {
        network: 'red',
        vni: 10_000,
        mac: '02:00:00:01:00:09',
        type: 'static',
        node: 'host2',
        vtep: '172.16.1.102' as Ip,
        learned: 'file',
        seq: 0,
        ips: ['99.1.0.9'],
        flags: 'S',
      },
    ]
    control.changed()
  })

  it.each(Object.keys(lists) as (keyof typeof lists)[])('%s fits its schema', async (name) => {
    const answer = await get(`/api/v1/${name}`)
    expect(answer.statusCode).toBe(200)
    const list = listOf(lists[name].item.strict()).parse(answer.json())
    expect(list.items.length).toBeGreaterThan(0)
    expect(list).toMatchObject({ revision: 2, next_cursor: null })
  })

  it('resolve names and states', async () => {
    expect((await get('/api/v1/nodes?fields=name,state')).json().items).toEqual([
      { name: 'host0', state: 'ready' },
      { name: 'host1', state: 'behind' },
      { name: 'stray', state: 'undeclared' },
    ])
    expect((await get('/api/v1/tunnels')).json().items[0]).toMatchObject({
      node: 'host0',
      peer: 'host1',
      network: 'red',
      local: '172.16.1.100',
      tx_packets: 10,
    })
    expect((await get('/api/v1/drops')).json().items).toMatchObject([
      { node: 'host0', network: null, reason: 'unknown_vni', packets: 10 },
    ])
    expect((await get('/api/v1/ports?node=host0')).json().items).toMatchObject([
      { interface: 'tap0', state: 'up', mtu: 1450, macs: 1 },
    ])
    expect((await get('/api/v1/ports?node=host2')).json().items).toMatchObject([
      { state: 'unknown', mtu: null },
    ])
    expect((await get('/api/v1/networks?name=red')).json().items).toMatchObject([
      { vni: 10_000, ports: 3, macs: 2 },
    ])
  })

  it('filter, order and page', async () => {
    expect((await get('/api/v1/macs?type=static')).json().items).toHaveLength(1)
    const first = (await get('/api/v1/macs?sort=-mac&limit=1')).json()
    expect(first.items[0].mac).toBe('02:00:00:01:00:09')
    const second = (await get(`/api/v1/macs?sort=-mac&limit=1&cursor=${first.next_cursor}`)).json()
    expect(second).toMatchObject({ items: [{ mac: '02:00:00:01:00:02' }], next_cursor: null })
  })

  it('refuse what they do not know, naming the parameter', async () => {
    for (const query of ['colour=red', 'limit=0', 'sort=colour', 'fields=colour', 'cursor=x']) {
      const answer = await get(`/api/v1/macs?${query}`)
      expect(answer.statusCode, query).toBe(400)
      expect(problem.parse(answer.json()).detail, query).toContain(query.split('=')[0])
    }
  })

  it('give a node with all about it', async () => {
    const detail = nodeDetail.parse((await get('/api/v1/nodes/host0')).json())
    expect(detail).toMatchObject({
      events_lost: 4,
      losses: { copy: 2 },
      program_list: [{ id: 5 }],
      map_list: [{ map: 'fdb' }],
      port_list: [{ interface: 'tap0' }],
    })
    const missing = await get('/api/v1/nodes/hosst1')
    expect(missing.json()).toMatchObject({
      status: 404,
      code: 'W-3007',
      detail: 'there is no node "hosst1", did you mean "host1"?',
    })
  })
})

describe('status', () => {
  it('is well when every node is ready', async () => {
    control.nodeList = [host('host0')]
    expect(status.parse((await get('/api/v1/status')).json())).toMatchObject({
      healthy: true,
      problems: [],
      nodes: { total: 1, ready: 1 },
    })
  })

  it('is well though etcd has keys of a newer version: they are noted', async () => {
    control.nodeList = [host('host0')]
    control.unknownKeys = new Set(['/weft/v1/gateway/b', '/weft/v1/gateway/a'])
    const result = status.parse((await get('/api/v1/status')).json())
    expect(result).toMatchObject({ healthy: true, problems: [] })
    expect(result.notes).toEqual([
      {
        subject: 'controller',
        what: '2 keys in etcd, the first /weft/v1/gateway/a',
        message: 'unknown to this version and left alone; a newer weft-controller may have written them',
      },
    ])
  })

  it('names what is not well, with the next step', async () => {
    control.store = { available: false, error: 'connection refused', endpoints: ['http://127.0.0.1:2379'] }
    control.nodeList = [
      host('host0', {
        failures: [{ code: 'W-2104', what: 'port host0/tap0', message: 'there is no tap0', next: 'ip link' }],
      }),
      host('host1', { connected: false, applied_revision: 1n }),
      host('stray', { declared: false }),
    ]
    const result = status.parse((await get('/api/v1/status')).json())
    expect(result.healthy).toBe(false)
    expect(result.problems.map(({ subject, code }) => [subject, code])).toEqual([
      ['controller', 'W-3002'],
      ['host0', 'W-2104'],
      ['host1', 'W-3015'],
      ['stray', 'W-3004'],
    ])
    expect(result.nodes.behind).toEqual([{ name: 'host1', applied_revision: 1, sent_revision: 2 }])
  })
})

describe('the server', () => {
  it('is ready when etcd answers and the view is loaded', async () => {
    expect((await get('/livez')).body).toBe('ok\n')
    expect((await get('/readyz')).body).toBe('ok\n')
    expect((await get('/readyz?verbose')).body).toBe('[+] etcd ok\n[+] view ok\nok\n')
    control.revision = 0n
    const answer = await get('/readyz')
    expect([answer.statusCode, answer.body]).toEqual([
      503,
      '[+] etcd ok\n[-] view: not loaded yet\nnot ready\n',
    ])
  })

  it('tells metrics of what nodes report', async () => {
    await put('bridge-unicast', bridge)
    control.nodeList = [reporting('host0', 1000, 10)]
    control.changed()
    const { body } = await get('/metrics')
    expect(body).toContain(
      'weft_tunnel_packets_total{node="host0",vni="10000",network="red",remote="172.16.1.101",direction="transmit"} 10',
    )
    expect(body).toContain(
      'weft_drops_total{node="host0",vni="0",program="tunnel_ingress",reason="unknown_vni"} 10',
    )
    expect(body).toContain('weft_node_ready{node="host0"} 1')
    expect(body).toContain('weft_apply_duration_seconds_count{stage="stored"} 1')
    expect((await get('/metrics')).body).toContain('direction="transmit"} 10') // a second scrape does not add up
  })

  it('describes itself as OpenAPI 3.1', async () => {
    const openapi = (await get('/openapi.json')).json()
    expect(openapi.openapi).toBe('3.1.0')
    for (const path of [
      '/api/v1/status',
      '/api/v1/topologies/{name}',
      '/api/v1/topologies/{name}/diff',
      '/api/v1/validate',
      '/api/v1/macs',
      '/readyz',
      '/metrics',
    ]) {
      expect(openapi.paths).toHaveProperty([path])
    }
  })

  it('answers unknown paths and methods as problems', async () => {
    expect((await get('/api/v2/nodes')).json()).toMatchObject({ status: 404, code: 'W-3007' })
    expect((await get('/')).json()).toMatchObject({
      status: 404,
      detail: 'there is no /',
      next: '/openapi.json or /api/v1/status',
    })
    const answer = await app.inject({ method: 'PATCH', url: '/api/v1/topologies/red' })
    expect(answer.json()).toMatchObject({ status: 405, code: 'W-3012' })
    expect(answer.headers['allow']).toContain('PUT')
  })

  it('does not answer to a foreign name, as a rebound one is', async () => {
    expect((await get('/livez', { host: 'evil.example' })).statusCode).toBe(400)
    for (const name of ['localhost:7780', '127.0.0.1:7780', '[::1]:7780']) {
      expect((await get('/livez', { host: name })).statusCode, name).toBe(200)
    }
  })

  it('hides its own failures behind a request id', async () => {
    control.nodes = () => {
      throw new Error('secret detail')
    }
    const answer = await get('/api/v1/nodes')
    expect(answer.json()).toMatchObject({ status: 500, code: 'W-5000' })
    expect(answer.body).not.toContain('secret')
    expect(answer.headers['x-request-id']).toBe(answer.json().request_id)
  })
})

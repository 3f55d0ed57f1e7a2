import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listOf, lists } from '../../api/list.js'
import { problem } from '../../api/problem.js'
import { applyResult, diffResult, topologyDetail, validateResult } from '../../api/topology.js'
import { bridge, HttpBench, host, quickstart } from './http-bench.fixture.js'
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

describe('topologies', () => {
  it('are applied, listed, read with their ETag and removed', async () => {
    const applied = await put('bridge-unicast', bridge)
    expect(applied.statusCode).toBe(200)
    expect(applyResult.parse(applied.json())).toMatchObject({
      name: 'bridge-unicast',
      revision: 2,
      dry_run: false,
    })

    const [item] = listOf(lists.topologies.item).parse((await get('/api/v1/topologies')).json()).items
    expect(item).toMatchObject({ name: 'bridge-unicast', nodes: 3, networks: 2, ports: 3 })

    const one = await get('/api/v1/topologies/bridge-unicast')
    expect(one.headers['etag']).toBe('"2"')
    expect(topologyDetail.parse(one.json()).source).toBe(bridge)

    const removed = await app.inject({ method: 'DELETE', url: '/api/v1/topologies/bridge-unicast' })
    expect(removed.json()).toMatchObject({ name: 'bridge-unicast', revision: 3 })
    expect((await get('/api/v1/topologies/bridge-unicast')).statusCode).toBe(404)
  })

  it('are taken as JSON and without a content type too', async () => {
    const json = JSON.stringify({
      apiVersion: 'weft/v1',
      kind: 'Topology',
      name: 'empty',
      nodes: {},
      networks: {},
    })
    expect((await put('empty', json, '', { 'content-type': 'application/json' })).statusCode).toBe(200)
    expect((await put('empty', json, '', { 'content-type': undefined })).statusCode).toBe(200)
  })

  it('that do not validate are refused with every place, and nothing is stored', async () => {
    const answer = await put(
      'bridge-unicast',
      bridge.replace('vni: 10001', 'vni: 70000000').replace('flood:', 'flod:'),
    )
    expect(answer.statusCode).toBe(422)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    const { errors, detail } = problem.parse(answer.json())
    expect(detail).toMatch(
      /^2 errors in the topology, the first at line 16, column 5: .*\. Nothing was stored\.$/,
    )
    const blue = 1 + bridge.split('\n').findIndex((line) => line.includes('vni: 10001'))
    expect(errors).toEqual([
      expect.objectContaining({ code: 'W-1002', pointer: '/networks/red/flod', line: 16, column: 5 }),
      expect.objectContaining({ code: 'W-1004', pointer: '/networks/blue/vni', line: blue }),
    ])
    expect(control.stored.size).toBe(0)
  })

  it('that collide with one in force are a conflict with its place in the text', async () => {
    await put('bridge-unicast', bridge)
    const other = quickstart
      .replaceAll('172.16.1.', '172.16.2.')
      .replace(/host(\d)/g, 'other$1')
      .replace('vni: 100', 'vni: 10000')
    const answer = await put('quickstart', other)
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject({
      code: 'W-1104',
      title: 'VNI taken',
      errors: [{ pointer: '/networks/green/vni' }],
    })
  })

  it('must have the name of their path', async () => {
    const answer = await put('other', quickstart)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().detail).toBe('the path names "other", the topology calls itself "quickstart"')
  })

  it('are replaced only at the revision of If-Match', async () => {
    await put('quickstart', quickstart)
    expect((await put('quickstart', quickstart, '', { 'if-match': '"1"' })).statusCode).toBe(412)
    expect((await put('quickstart', quickstart, '', { 'if-match': '"2"' })).statusCode).toBe(200)
    expect((await put('quickstart', quickstart, '', { 'if-match': 'x' })).statusCode).toBe(400)
  })

  it('are not stored by a dry run', async () => {
    const answer = await put('quickstart', quickstart, '?dry_run=true')
    expect(answer.json()).toMatchObject({ dry_run: true })
    expect(control.stored.size).toBe(0)
  })

  it('come back with the time of each stage when waited for', async () => {
    const answer = await put('quickstart', quickstart, '?wait=programmed&timeout=5s')
    const { stages, nodes } = applyResult.parse(answer.json())
    expect(stages.stored_ms).toBe(3)
    expect(stages.programmed_ms).toBeGreaterThan(stages.sent_ms!)
    expect(nodes).toEqual({ total: 2, slowest: 'host0', late: [] })
  })

  it('are stored although the wait ran out, and the late nodes are named', async () => {
    control.nodeList = [host('host0'), host('host1', { connected: false })]
    control.waited = { sent_ms: 1, late: ['host1'] }
    const answer = await put('quickstart', quickstart, '?wait=programmed&timeout=10ms')
    expect(answer.statusCode).toBe(504)
    const body = problem.parse(answer.json())
    expect(body).toMatchObject({ code: 'W-3008', next: 'weft get nodes' })
    expect(applyResult.parse(body.result).nodes.late).toEqual([
      { name: 'host1', last_heard_at: '2026-11-21T02:41:08.000Z' },
    ])
    expect(control.stored.size).toBe(1)
  })

  it('are compared with what is in force', async () => {
    await put('quickstart', quickstart)
    const diff = (text: string) =>
      app.inject({
        method: 'POST',
        url: '/api/v1/topologies/quickstart/diff',
        payload: text,
        headers: { 'content-type': 'text/yaml' },
      })
    expect(diffResult.parse((await diff(quickstart)).json()).changes).toEqual([])
    const changed = diffResult.parse((await diff(quickstart.replace('vni: 100', 'vni: 101'))).json())
    expect(changed.changes.length).toBeGreaterThan(0)
    expect(changed.revision).toBe(2)
  })

  it('are validated without being stored', async () => {
    const validate = async (text: string) =>
      validateResult.parse(
        (await app.inject({ method: 'POST', url: '/api/v1/validate', payload: text })).json(),
      )
    expect(await validate(quickstart)).toEqual({ valid: true, problems: [] })
    expect(await validate('kind: [')).toMatchObject({ valid: false, problems: [{ code: 'W-1000', line: 1 }] })
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { errorCatalogue } from '../common/errors.js'
import { answers, applied, nodes, unhealthy } from './canned-answers.fixture.js'
import { CannedController, runCli } from './canned-controller.fixture.js'
import { explanations } from './explanations.js'

const quickstart = fileURLToPath(new URL('../../topologies/quickstart.yaml', import.meta.url))
const problem = (status: number, body: object) => ({ status, body: { detail: 'so it is', ...body } })

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wt-cli-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('exit code', () => {
  it('0: done', async () => {
    await using controller = await CannedController.start(answers)
    expect((await controller.weft(['get', 'nodes'])).code).toBe(0)
    expect((await controller.weft(['status'])).code).toBe(0)
  })

  it('1: the answer is no', async () => {
    await using controller = await CannedController.start({
      ...answers,
      'GET /api/v1/status': { body: unhealthy },
    })
    expect((await controller.weft(['status'])).code).toBe(1)
    expect((await controller.weft(['diff', '-f', quickstart])).code).toBe(1)
  })

  it('1: nodes could not program all of it', async () => {
    const failures = [
      { node: 'host1', code: 'W-2104', what: 'port host1/tap0', message: 'is missing', next: '' },
    ]
    await using controller = await CannedController.start({
      'PUT /api/v1/topologies/quickstart': { body: { ...applied, failures } },
    })
    const { code, stdout } = await controller.weft(['apply', '--wait', '-f', quickstart])
    expect(code).toBe(1)
    expect(stdout).toContain('host1  W-2104  port host1/tap0: is missing\n')
  })

  it.each([
    [['gett'], "unknown command 'gett', did you mean get?"],
    [['get', 'nodes', '--colour'], "unknown option '--colour'"],
    [['get', 'nodse'], 'there is no kind "nodse", did you mean "nodes"?'],
    [['get', 'nodes', '--vni', '7'], '--vni does not select nodes'],
    [['get', 'tunnels', 'x'], 'tunnels have no names: select with --node, --network, --vni'],
    [['get', 'nodes', '--limit', '0'], '--limit 0: give a number above 0'],
    [['apply'], "required option '-f, --file <file>' not specified"],
    [['apply', '--wait=soon', '-f', quickstart], '--wait=soon: give stored or programmed'],
    [['get', 'ports', '--sort-by', 'statr'], 'ports have no field "statr", did you mean "state"?'],
    [['get', 'ports', '--sort-by=-bogus'], 'ports have no field "bogus"'],
    [['status', '-o', 'name'], 'status has no -o name'],
    [['describe', 'node', 'x', '-o', 'wide'], 'describe has no -o wide'],
    [['version', '-o', 'wide'], 'version has no -o wide'],
    [['export', '-o', 'name'], 'export has no -o name'],
    [['apply', '-f', quickstart, '-o', 'name'], 'apply has no -o name'],
    [['diff', '-f', quickstart, '-o', 'wide'], 'diff has no -o wide'],
    [['--timeout', 'soon', 'status'], '--timeout soon: give a duration such as 30s, 500ms or 2m'],
    [['--server', 'ftp://x', 'status'], '--server ftp://x: give a unix path, host:port or http://host:port'],
    [['describe', 'port', 'x'], '"port" cannot be described, only a node, network or mac can'],
    [['describe', 'mac', 'x'], '"x" is no MAC address, as 02:00:00:01:00:09'],
    [['describe', 'node', 'x', '--network', 'red'], '--network does not select nodes'],
    [
      ['delete', 'node', 'x'],
      '"node" cannot be deleted by itself: take it out of its topology and apply that',
    ],
  ])('2: usage, as weft %j', async (argv, message) => {
    const { code, stdout, stderr } = await runCli(argv)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.split('\n')[0]).toBe(`weft: W-4001 ${message}`)
  })

  it.each([
    [['apply'], 'weft apply --help'],
    [['get', 'nodes', '--colour'], 'weft get --help'],
    [['-s', 'status', 'describe', 'node'], 'weft describe --help'],
    [['gett'], 'weft --help'],
    [['lab', 'exec', '--colour'], 'weft lab exec --help'],
    [['describe', 'foo', 'bar'], 'weft describe node bar'],
    [['describe', 'port', 'x'], 'weft get ports'],
    [['status', '-o', 'name'], '-o json or -o yaml'],
  ])('2: usage, and what to try next, as weft %j', async (argv, next) => {
    expect((await runCli(argv)).stderr.split('\n')[1]).toBe(`  next: ${next}`)
  })

  it('2: some file is unreadable, and all others are checked', async () => {
    const { code, stdout, stderr } = await runCli(['validate', '/nowhere.yaml', quickstart])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'weft: W-1007 cannot read /nowhere.yaml: no such file\n',
    })
    expect(stdout).toMatch(/quickstart.yaml: valid, /)
    const json = await runCli(['validate', '/nowhere.yaml', quickstart, '-o', 'json'])
    expect(JSON.parse(json.stdout)).toMatchObject([
      { file: '/nowhere.yaml', valid: false, problems: [{ code: 'W-1007' }] },
      { file: quickstart, valid: true, problems: [] },
    ])
  })

  it('2: a file that does not validate, and nothing is sent', async () => {
    await using controller = await CannedController.start(answers)
    const file = join(directory, 'broken.yaml')
    writeFileSync(file, 'apiVersion: weft/v1\nkind: Topologie\nname: x\n')
    for (const command of ['apply', 'diff']) {
      const { code, stdout, stderr } = await controller.weft([command, '-f', file])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain(`${file}:2:7  W-1003`)
    }
    expect((await runCli(['validate', file])).code).toBe(2)
    expect(controller.requests).toEqual([])
  })

  it('2: a file that is not there', async () => {
    const { code, stderr } = await runCli(['validate', '/nowhere.yaml'])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'weft: W-1007 cannot read /nowhere.yaml: no such file\n',
    })
  })

  it('3: the controller is not there, said in one clear line', async () => {
    const { code, stdout, stderr } = await runCli(['--server', '/nowhere/http.sock', 'get', 'nodes'])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toBe(
      'weft: W-3009 the controller at unix:/nowhere/http.sock (given as /nowhere/http.sock) does not answer: no such socket\n' +
        '  next: start weft-controller or a lab, or give --server\n',
    )
  })

  it('3: nothing listens at the port', async () => {
    const { code, stderr } = await runCli(['--server', 'http://127.0.0.1:1', 'status'])
    expect(code).toBe(3)
    expect(stderr).toContain('127.0.0.1:1 (given as http://127.0.0.1:1) does not answer: connection refused')
  })

  it('3: etcd is away', async () => {
    await using controller = await CannedController.start({
      'GET /api/v1/nodes': problem(503, { code: 'W-3002', detail: 'etcd does not answer' }),
    })
    const { code, stderr } = await controller.weft(['get', 'nodes'])
    expect({ code, stderr }).toEqual({ code: 3, stderr: 'weft: W-3002 etcd does not answer\n' })
  })

  it('4: not found', async () => {
    await using controller = await CannedController.start(answers)
    const { code, stderr } = await controller.weft(['get', 'nodes', 'host1'])
    expect(code).toBe(4)
    expect(stderr).toBe(
      'weft: W-3007 there is no node "host1", did you mean "host0"?\n  next: weft get nodes\n',
    )
    expect((await controller.weft(['describe', 'node', 'none'])).code).toBe(4)
    expect((await controller.weft(['export', 'none'])).code).toBe(4)
    expect((await runCli(['explain', 'W-9999'])).code).toBe(4)
  })

  it('5: conflict', async () => {
    await using controller = await CannedController.start({
      'PUT /api/v1/topologies/quickstart': problem(409, { code: 'W-3003', next: 'weft diff -f FILE' }),
    })
    const { code, stderr } = await controller.weft(['apply', '-f', quickstart])
    expect({ code, stderr }).toEqual({
      code: 5,
      stderr: 'weft: W-3003 so it is\n  next: weft diff -f FILE\n',
    })
  })

  it('6: the wait ran out; who is late is named', async () => {
    const late = [{ name: 'host6', last_heard_at: new Date(Date.now() - 41_500).toISOString() }]
    const stages = { ...applied.stages, programmed_ms: null }
    await using controller = await CannedController.start({
      'PUT /api/v1/topologies/quickstart': problem(504, {
        code: 'W-3008',
        result: { ...applied, stages, nodes: { total: 9, slowest: 'host3', late } },
      }),
    })
    const { code, stdout } = await controller.weft(['--timeout', '5s', 'apply', '--wait', '-f', quickstart])
    expect(code).toBe(6)
    expect(stdout.split('\n').slice(-3)).toEqual([
      'programmed  8/9 after 5 s; waiting for host6 (last heard 41s ago)',
      'The change is stored and host6 gets it when it returns.',
      '',
    ])
    expect(controller.requests[0]?.url).toContain('wait=programmed&timeout=5000ms')
  })

  it('130: interrupted', async () => {
    await using controller = await CannedController.start({ 'GET /api/v1/nodes': 'silence' })
    const interrupt = new AbortController()
    const running = controller.weft(['get', 'nodes'], { signal: interrupt.signal })
    await expect.poll(() => controller.requests.length).toBe(1)
    interrupt.abort()
    expect(await running).toEqual({ code: 130, stdout: '', stderr: '' })
  })
})

describe('weft', () => {
  it('reads a topology from standard input', async () => {
    const { code, stdout } = await runCli(['validate', '-'], {
      stdin: 'apiVersion: weft/v1\nkind: Topology\nname: x\n',
    })
    expect({ code, stdout }).toEqual({ code: 0, stdout: '-: valid, 0 nodes, 0 networks\n' })
  })

  it('prints nothing but JSON on stdout with -o json', async () => {
    await using controller = await CannedController.start(answers)
    for (const line of [
      'get macs',
      'status',
      'version',
      'describe node host0',
      `apply -f ${quickstart}`,
      `diff -f ${quickstart}`,
    ]) {
      const { stdout } = await controller.weft([...line.split(' '), '-o', 'json'])
      expect(() => JSON.parse(stdout), line).not.toThrow()
    }
    expect(JSON.parse((await runCli(['validate', quickstart, '-o', 'json'])).stdout)).toMatchObject([
      { valid: true },
    ])
  })

  it('takes a format of WEFT_OUTPUT for the commands that have it', async () => {
    await using controller = await CannedController.start(answers)
    vi.stubEnv('WEFT_OUTPUT', 'wide')
    try {
      expect((await controller.weft(['status'])).code).toBe(0)
      expect((await controller.weft(['get', 'nodes'])).stdout).toContain('VERSION')
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('follows a list to its last page', async () => {
    let page = 0
    const pages = [
      { revision: 1, items: [nodes[0]], next_cursor: 'abc' },
      { revision: 1, items: [nodes[1]], next_cursor: null },
    ]
    await using controller = await CannedController.start({
      'GET /api/v1/nodes': {
        get body() {
          return pages[page++]
        },
      },
    })
    expect((await controller.weft(['get', 'nodes', '-o', 'name'])).stdout).toBe('host0\nhost10\n')
    expect(controller.requests[1]?.url).toContain('cursor=abc')
  })

  it('sends filters under the name of the field', async () => {
    await using controller = await CannedController.start(answers)
    await controller.weft(['get', 'nodes', '--node', 'a', '--node', 'b', '--sort-by', '-macs'])
    expect(controller.requests[0]?.url).toBe('/api/v1/nodes?name=a&name=b&sort=-macs&limit=10000')
    await controller.weft(['get', 'fdb', '--mac', '02:AA:00:00:00:01'])
    expect(controller.requests[1]?.url).toContain('mac=02%3Aaa%3A00%3A00%3A00%3A01')
  })

  it('says so when a list is empty, without touching stdout', async () => {
    await using controller = await CannedController.start({
      'GET /api/v1/macs': { body: { revision: 1, items: [], next_cursor: null } },
    })
    expect(await controller.weft(['get', 'macs'])).toEqual({ code: 0, stdout: '', stderr: 'No macs.\n' })
  })

  it('knows another server by its answers', async () => {
    await using controller = await CannedController.start({
      'GET /api/v1/status': { status: 500, body: 'hello' },
    })
    const { code, stderr } = await controller.weft(['status'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^weft: W-3010 .* answered 500, not as a Weft controller does\n/)
  })

  it('explains every code of the catalogue', () => {
    expect(Object.keys(explanations).sort()).toEqual(Object.keys(errorCatalogue).sort())
  })
})

import { describe, expect, it } from 'vitest'
import type { NodeItem } from '../../src/api/items.js'
import { type CommandResult, run } from '../../src/lab/command.js'
import { labDirectory } from '../../src/lab/names.js'
import { eventually, labUp, root, topologyText, weft } from './harness.js'

const name = 'wt-bad'
const lab = labUp('quickstart.yaml', name)
const nodeMain = [process.execPath, `${root}dist/node/main.js`]
const controllerMain = [process.execPath, `${root}dist/controller/main.js`]

describe('weft', () => {
  it('with no controller there exits 3 with one clear line and the next step', async () => {
    const result = await weft(undefined, '--server', 'http://127.0.0.1:1', 'get', 'nodes')
    expect(result.code).toBe(3)
    expect(result.stdout).toBe('')
    expectClear(result, 'W-3009')
    expect(result.stderr).toContain('127.0.0.1:1')
  })

  it('with an unknown flag exits 2 and says which', async () => {
    const result = await weft(lab(), 'get', 'nodes', '--frobnicate')
    expect(result.code).toBe(2)
    expectClear(result)
    expect(result.stderr).toContain('--frobnicate')
  })

  it('with an unknown command exits 2', async () => {
    const result = await weft(lab(), 'frobnicate')
    expect(result.code).toBe(2)
    expectClear(result)
  })

  it('with a file that is not there exits 2 and names it', async () => {
    const result = await weft(lab(), 'apply', '-f', '/nonexistent.yaml')
    expect(result.code).toBe(2)
    expectClear(result, 'W-1007')
  })

  it('lab deploy without the privileges exits 7 and says which', async () => {
    const file = `${root}topologies/bridge-unicast.yaml`
    const result = await run([
      ...withoutCapabilities,
      process.execPath,
      `${root}dist/cli/main.js`,
      'lab',
      'deploy',
      '-f',
      file,
    ])
    expect(result.code).toBe(7)
    expectClear(result, 'W-2001')
    expect(result.stderr).toContain('CAP_NET_ADMIN')
  })
})

describe('an apply that is refused', () => {
  it('changes nothing: a broken file is answered with all its errors', async () => {
    const before = await lab().list('networks')
    const text = topologyText('quickstart.yaml').replace(/^name: .*$/m, `name: ${name}`)
    const broken = text.replace('vni: 100', 'vni: 70000000').replace('mode: unicast', 'mode: multicst')
    const refused = lab().client.request('PUT', `/api/v1/topologies/${name}`, { body: broken })
    await expect(refused).rejects.toMatchObject({
      code: 'W-1001',
      details: { problem: { errors: [{ code: 'W-1001' }, { code: 'W-1004' }, { code: 'W-1003' }] } },
    })
    expect(await lab().list('networks')).toEqual(before)
  })

  it('changes nothing: a VNI that another topology has is named', async () => {
    const text = topologyText('quickstart.yaml')
      .replace(/^name: .*$/m, 'name: other')
      .replaceAll('host', 'box')
      .replaceAll('172.16.1.', '172.16.2.')
    const refused = lab().client.request('PUT', '/api/v1/topologies/other', { body: text })
    await expect(refused).rejects.toMatchObject({ code: 'W-1104', message: expect.stringContaining(name) })
    expect((await lab().list<{ name: string }>('topologies')).map((one) => one.name)).toEqual([name])
  })
})

describe('weft-node', () => {
  const settings = (...more: string[]) => [
    ...nodeMain,
    '--controller',
    `unix:${labDirectory(name)}/grpc.sock`,
    '--http-listen',
    '',
    ...more,
  ]

  it('beside another daemon of the same host exits 5 and says so', async () => {
    const result = await run(settings('--node-name', 'host0', '--bpffs', `${labDirectory(name)}/bpf/host0`), {
      namespace: lab().namespace('host0'),
    })
    expect(result.code).toBe(5)
    expectClear(result, 'W-2004')
    expect(await lab().ping('alice', lab().address('bob'))).toBe(3)
  })

  it('with a name that no topology declares waits, says so, and shows in the list', async () => {
    const bpffs = `${labDirectory(name)}/bpf/stranger`
    const stop = new AbortController()
    const stranger = run(settings('--node-name', 'stranger', '--bpffs', bpffs), {
      namespace: lab().namespace('fabric'),
      signal: stop.signal,
    }).catch(() => undefined)
    try {
      await eventually('the stranger is listed', async () => {
        const nodes = await lab().list<NodeItem>('nodes')
        return nodes.some((node) => node.name === 'stranger' && node.state === 'undeclared')
      })
    } finally {
      stop.abort()
      await stranger
    }
  })

  it('without the capabilities exits 7 and says which are missing', async () => {
    const result = await run(
      [
        ...withoutCapabilities,
        ...settings('--node-name', 'host0', '--bpffs', `${labDirectory(name)}/bpf/other`),
      ],
      { namespace: lab().namespace('fabric') },
    )
    expect(result.code).toBe(7)
    expectClear(result, 'W-2001')
    expect(result.stderr).toMatch(/CAP_BPF|CAP_NET_ADMIN/)
  })

  it('with an unknown setting exits 2 and names it', async () => {
    const result = await run(settings('--node-nam', 'host0'))
    expect(result.code).toBe(2)
    expectClear(result, 'W-4001')
    expect(result.stderr).toContain('--node-nam')
  })

  it('finds UDP 4789 taken by another device: names it, reports it, and takes the port once it is free', async () => {
    const killed = await lab().kill('node-host1')
    await lab().must('host1', 'ip', 'link', 'del', 'weft-vxlan')
    await lab().must('host1', 'ip', 'link', 'add', 'squatter', 'type', 'vxlan', 'external', 'dstport', '4789')
    await lab().must('host1', 'ip', 'link', 'set', 'squatter', 'up')
    await lab().start(killed)
    const failures = async () =>
      (await lab().list<NodeItem>('nodes', { name: 'host1' })).flatMap((node) => node.failures)
    await eventually('the failure is reported', async () => (await failures()).length > 0)
    const [failure] = await failures()
    expect(failure).toMatchObject({ code: 'W-2103', message: expect.stringContaining('squatter') })
    // Not ours, so it is still there.
    await lab().must('host1', 'ip', 'link', 'show', 'squatter')
    await lab().must('host1', 'ip', 'link', 'del', 'squatter')
    await eventually('host1 is ready', async () => {
      const [node] = await lab().list<NodeItem>('nodes', { name: 'host1' })
      return node?.state === 'ready'
    })
    expect(await lab().ping('alice', lab().address('bob'))).toBe(3)
  })
})

describe('weft-controller', () => {
  it('refuses to listen beyond this host without encryption, with exit 2', async () => {
    const result = await run([
      ...controllerMain,
      '--etcd',
      lab().record.etcd_url,
      '--grpc-listen',
      '0.0.0.0:7999',
    ])
    expect(result.code).toBe(2)
    expectClear(result, 'W-3001')
  })

  it('with a port that is taken says which, and by whom to ask', async () => {
    const taken = new URL(lab().record.http.url).host
    const grpc = `unix:${labDirectory(name)}/second.sock`
    const result = await run([
      ...controllerMain,
      '--etcd',
      lab().record.etcd_url,
      '--grpc-listen',
      grpc,
      '--http-listen',
      taken,
    ])
    expect(result.code).toBe(1)
    expectClear(result, 'W-3014')
    expect(result.stderr).toContain(`cannot listen on ${taken}: it is in use`)
  })
})

const withoutCapabilities = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--']

/** A code and a message, and no stack trace. */
function expectClear({ stderr }: CommandResult, code = 'W-4001'): void {
  expect(stderr).toContain(code)
  expect(stderr).not.toMatch(/^\s+at .*\d+:\d+\)?$/m)
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(4)
}

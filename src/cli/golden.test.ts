import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { answers, now, unhealthy } from './canned-answers.fixture.js'
import { CannedController } from './canned-controller.fixture.js'

const quickstart = fileURLToPath(new URL('../../topologies/quickstart.yaml', import.meta.url))

let controller: CannedController
beforeAll(async () => {
  vi.useFakeTimers({ now, toFake: ['Date'] })
  controller = await CannedController.start(answers)
})
afterAll(async () => {
  vi.useRealTimers()
  await controller[Symbol.asyncDispose]()
})

const kinds = ['topologies', 'nodes', 'networks', 'ports', 'macs', 'tunnels', 'drops']

describe('what weft prints', () => {
  it.each([
    ...kinds.flatMap((kind) => ['table', 'wide', 'name'].map((format) => `get ${kind} -o ${format}`)),
    'get nodes -o json',
    'get macs -o yaml',
    'get tunnels --no-headers',
    'describe node host0',
    'describe network red',
    'describe mac 02:00:00:01:00:02',
    'describe mac 02:00:00:01:00:02 -o json',
    'status',
    'version',
    `apply --wait -f ${quickstart}`,
    `apply -f ${quickstart}`,
    `diff -f ${quickstart}`,
    `apply --dry-run -f ${quickstart}`,
    'delete topology quickstart',
    'export bridge-unicast',
    'explain W-1104',
    'trace host0/tap0 99.1.0.9',
    'trace host0/tap0 99.1.0.9 -o minimal',
    'fanout red',
    '--help',
    'get --help',
  ])('weft %s', async (line) => {
    const { stdout, stderr } = await controller.weft(line.split(' '))
    const name = line
      .replaceAll(/\S*\//g, '')
      .replaceAll(/[^a-zA-Z0-9]+/g, '-')
      .replace(/^-/, '')
    const printed = stdout.replace(process.versions.node, 'VERSION') + stderr.replace(/^(?=.)/gm, 'stderr: ')
    await expect(printed).toMatchFileSnapshot(`golden/${name}.txt`)
  })

  it('weft status of a cluster in trouble', async () => {
    await using troubled = await CannedController.start({ 'GET /api/v1/status': { body: unhealthy } })
    const { code, stdout } = await troubled.weft(['status'])
    expect(code).toBe(1)
    await expect(stdout).toMatchFileSnapshot('golden/status-troubled.txt')
  })
})

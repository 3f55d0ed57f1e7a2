import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { NodeDetail } from '../../src/api/items.js'
import { eventually, labUp, root, weft } from './harness.js'

const lab = labUp('bridge-unicast.yaml', 'wt-capture')
const directory = mkdtempSync(join(tmpdir(), 'wt-capture-'))
afterAll(() => rmSync(directory, { recursive: true }))
const file = (name: string) => join(directory, name)

const read = (path: string, ...args: string[]) =>
  execFileSync('tcpdump', ['-n', '-e', '-r', path, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim()

/** A capture that has begun, and its end. */
async function start(...args: string[]) {
  const argv = [`${root}dist/cli/main.js`, '--server', lab().record.http.socket, 'capture', ...args]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await eventually('the tap is open', async () => {
    const detail = await lab().client.request<NodeDetail>('GET', '/api/v1/nodes/host0')
    return detail.program_list.some(({ program }) => program === 'port_egress')
  })
  return {
    child,
    async end(): Promise<{ code: number; stderr: string }> {
      const [code] = await closed
      return { code: code as number, stderr }
    },
  }
}

it('of a port shows both directions, with node, network, program and verdict of each frame', async () => {
  const capture = await start('host0:tap0', '-w', file('port.pcapng'), '--duration', '1m')
  expect(await lab().ping('r0', lab().address('r2'), { count: 5 })).toBe(5)
  await new Promise((resolve) => setTimeout(resolve, 200)) // what is under way arrives
  capture.child.kill('SIGINT')
  const { code, stderr } = await capture.end()
  expect(stderr).toMatch(/^\d+ frames, /)
  expect(code).toBe(0)
  const icmp = read(file('port.pcapng'), 'icmp')
  expect(icmp.match(/ICMP echo request/g)).toHaveLength(5)
  expect(icmp.match(/ICMP echo reply/g)).toHaveLength(5)
  const text = readFileSync(file('port.pcapng'), 'latin1')
  expect(text).toContain('node host0, vni 10000, port_ingress, forward_tunnel, vtep 172.16.1.102')
  expect(text).toContain('node host0, vni 10000, port_egress, deliver_port')
  expect(text).toContain('host0:tap0')
})

it('ends at its size, with a whole file, and says so', async () => {
  const capture = await start(
    'host0:tap0',
    '-w',
    file('small.pcapng'),
    '--max-size',
    '2kB',
    '--snaplen',
    '64',
  )
  await lab().ping('r0', lab().address('r2'), { count: 20 })
  const { code, stderr } = await capture.end()
  expect(code).toBe(0)
  expect(stderr).toContain('ended at --max-size 2kB')
  expect(statSync(file('small.pcapng')).size).toBeLessThanOrEqual(2000)
  expect(read(file('small.pcapng')).split('\n').length).toBeGreaterThan(3)
})

it('ends at its time, and into a pipe too', async () => {
  const ping = lab().ping('r0', lab().address('r2'), { count: 50 })
  const argv = ['capture', 'host2', '--vni', '10000', '-w', '-', '--duration', '500ms']
  const server = ['--server', lab().record.http.socket]
  const bytes = execFileSync(process.execPath, [`${root}dist/cli/main.js`, ...server, ...argv], {
    stdio: 'pipe',
  })
  await ping
  expect(bytes.readUInt32LE(0)).toBe(0x0a0d0d0a)
  // By either path.
  expect(bytes.toString('latin1')).toMatch(
    /node host2, vni 10000, (tunnel|underlay)_ingress, forward_local, vtep 172\.16\.1\.100/,
  )
})

it('leaves no program behind when it is killed', async () => {
  const capture = await start('host0:tap0', '-w', file('killed.pcapng'))
  capture.child.kill('SIGKILL')
  await capture.end()
  await eventually('port_egress is gone', async () => {
    const detail = await lab().client.request<NodeDetail>('GET', '/api/v1/nodes/host0')
    return detail.program_list.every(({ program }) => program !== 'port_egress')
  })
})

it('ends with the reason when the node dies, and the next daemon takes port_egress away', async () => {
  const pins = () =>
    readdirSync(`/run/weft/lab/${lab().name}`, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /port_egress-\d+$/.test(path),
    )
  const capture = await start('host0:tap0', '-w', file('died.pcapng'))
  expect(pins()).not.toEqual([])
  const daemon = await lab().kill('node-host0')
  const { code, stderr } = await capture.end()
  expect(stderr).toContain('W-3015 node host0 is not connected')
  expect(code).toBe(3)
  read(file('died.pcapng')) // is whole
  expect(pins()).not.toEqual([]) // nobody is there to take it away
  await lab().start(daemon)
  await eventually('port_egress is gone', async () => pins().length === 0)
})

it.each([
  [['host9', '-w', '/dev/null'], 4, 'there is no node "host9"'],
  [['host0:tap9', '-w', '/dev/null'], 1, 'no port tap9'],
  [['host0', '-w', '/nowhere/a'], 2, 'cannot write /nowhere/a'],
  [['host0', '-w', '/dev/null', '--duration', 'soon'], 2, '--duration soon'],
])('is refused as %j', async (args, code, message) => {
  const refused = await weft(lab(), 'capture', ...args)
  expect(refused.stderr).toContain(message)
  expect(refused.code).toBe(code)
})

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import type { Failure, Report } from '../../src/rpc/records.js'
import { openSync, type SyncStream } from '../../src/rpc/sync-client.js'
import { EtcdProcess, freePort } from './etcd-process.js'
import { until } from './node-model.js'

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))
const topology = fileURLToPath(new URL('../../topologies/bridge-unicast.yaml', import.meta.url))

let directory: string
let etcd: EtcdProcess
let controller: ControllerProcess
let node1: ReportingNode
const stop = new AbortController()
const patient = { timeout: 50_000 }

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wt-http-'))
  etcd = await EtcdProcess.start()
  controller = await ControllerProcess.start(['--etcd', etcd.endpoint])
})
afterAll(async () => {
  stop.abort()
  await controller?.end('SIGKILL')
  await etcd?.stop()
  rmSync(directory, { recursive: true })
})

/** weft-controller as its own process. */
class ControllerProcess {
  stdout = ''
  stderr = ''

  private constructor(
    private readonly child: ChildProcess,
    readonly grpc: string,
    readonly http: string,
    readonly port: number,
  ) {
    child.stdout!.on('data', (chunk) => {
      this.stdout += chunk
    })
    child.stderr!.on('data', (chunk) => {
      this.stderr += chunk
    })
  }

  static async start(argv: readonly string[]): Promise<ControllerProcess> {
    const [grpc, http] = [join(directory, 'grpc.sock'), join(directory, 'http.sock')]
    const port = await freePort()
    const listen = ['--grpc-listen', `unix:${grpc}`, '--http-listen', `unix:${http},127.0.0.1:${port}`]
    const child = spawn(process.execPath, [
      '--import',
      'tsx',
      source('controller/main.ts'),
      ...listen,
      ...argv,
    ])
    const started = new ControllerProcess(child, grpc, http, port)
    await until(() => started.stdout.split('serving http').length > 2)
    return started
  }

  async end(signal: NodeJS.Signals): Promise<unknown> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return undefined
    const exited = once(this.child, 'exit')
    this.child.kill(signal)
    return exited
  }
}

/** A node that acknowledges everything, fails what it is told to, and reports. */
class ReportingNode {
  private constructor(private readonly stream: SyncStream) {}

  static connect(name: string, failures: readonly Failure[] = []): ReportingNode {
    const hello = { node: name, abi: 'abi', version: '0.1.0', instance: name, held: [] }
    const stream = openSync(`unix:${controller.grpc}`, hello, stop.signal)
    const follow = async () => {
      for await (const change of stream.changes) {
        if (change.kind !== 'in_sync') continue
        stream.send({ kind: 'applied', applied: { revision: change.revision, failures } })
      }
    }
    follow().catch(() => {}) // ends with the controller
    return new ReportingNode(stream)
  }

  report(packets: number): void {
    const tunnel = { tx_flooded: 1, rx_packets: 2, rx_bytes: 196, rx_flooded: 0, tx_fast: 0, rx_fast: 0 }
    const telemetry: Report = {
      tunnels: [
        { vni: 10_000, vtep: '172.16.1.101' as Ip, tx_packets: packets, tx_bytes: packets * 98, ...tunnel },
      ],
      verdicts: [{ vni: 0, program: 'tunnel_ingress', reason: 'drop_unknown_vni', packets: 7, bytes: 700 }],
      ports: [{ interface: 'tap0', vni: 10_000, state: 'up', mtu: 1450, ifindex: 9 }],
      programs: [],
      maps: [],
      events_lost: 0,
      losses: [],
      paths: [],
      tunnel_mtu: 1450,
    }
    this.stream.send({ kind: 'telemetry', telemetry })
  }
}

function weft(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const command = ['--import', 'tsx', source('cli/main.ts'), '--server', controller.http, ...argv]
    execFile(process.execPath, command, (err, stdout, stderr) => {
      resolve({ code: Number(err?.code ?? 0), stdout, stderr })
    })
  })
}

const json = async (...argv: string[]) => JSON.parse((await weft(...argv, '-o', 'json')).stdout)

describe('weft with weft-controller on etcd', () => {
  it('is ready over the unix socket and over TCP', async () => {
    const readyz = async () => (await fetch(`http://127.0.0.1:${controller.port}/readyz?verbose`)).text()
    await expect.poll(readyz, patient).toBe('[+] etcd ok\n[+] view ok\nok\n')
    expect((await weft('status')).code).toBe(0)
  })

  it('says what an apply would change, and changes nothing', async () => {
    const { code, stdout } = await weft('apply', '--dry-run', '-f', topology)
    expect(code).toBe(0)
    expect(stdout).toContain('+ networks.red')
    expect((await weft('get', 'topologies')).stderr).toBe('No topologies.\n')
    expect((await weft('diff', '-f', topology)).code).toBe(1)
  })

  it('stores an apply', async () => {
    const { code, stdout } = await weft('apply', '-f', topology)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^bridge-unicast {2}revision \d+\nstored {2}\S+ ms {2}etcd\n$/)
    expect((await weft('diff', '-f', topology)).code).toBe(0)
  })

  it('names who is late when a wait runs out', async () => {
    ReportingNode.connect('host0')
    node1 = ReportingNode.connect('host1')
    await expect
      .poll(async () => (await json('get', 'nodes', '--state', 'ready')).items, patient)
      .toHaveLength(2)
    const { code, stdout } = await weft('--timeout', '300ms', 'apply', '--wait', '-f', topology)
    expect(code).toBe(6)
    expect(stdout).toContain('programmed  2/3 after 0.3 s; waiting for host2 (never heard)\n')
    expect(stdout).toContain('The change is stored and host2 gets it when it returns.\n')
  })

  it('waits until all nodes have programmed it, and tells what one could not', async () => {
    const failure = {
      code: 'W-2104',
      what: 'port host2/tap0',
      message: 'there is no device tap0',
      next: 'ip link',
    }
    ReportingNode.connect('host2', [failure])
    const { code, stdout } = await weft('apply', '--wait', '-f', topology)
    expect(code).toBe(1)
    expect(stdout).toMatch(/programmed +\S+ ms {2}3\/3/)
    expect(stdout).toContain('host2  W-2104  port host2/tap0: there is no device tap0\n')

    const status = await weft('status')
    expect(status.code).toBe(1)
    expect(status.stdout).toContain('host2  degraded  W-2104  port host2/tap0: there is no device tap0\n')
  })

  it('shows what nodes report, with names for numbers', async () => {
    let packets = 0
    const rate = async () => {
      packets += 100
      node1.report(packets)
      return (await json('get', 'tunnels', '--node', 'host1')).items[0]?.tx_packets_per_s
    }
    await expect.poll(rate, patient).toBeGreaterThan(0)
    expect((await json('get', 'tunnels', '--node', 'host1')).items[0]).toMatchObject({
      network: 'red',
      peer: 'host1',
      remote: '172.16.1.101',
      rx_packets: 2,
    })
    expect((await json('get', 'drops')).items[0]).toMatchObject({
      reason: 'unknown_vni',
      packets: 7,
      network: null,
    })
    expect((await json('get', 'ports', 'host1/tap0')).items).toMatchObject([{ state: 'up', mtu: 1450 }])
    expect((await json('get', 'macs')).items).toMatchObject([
      { mac: '02:00:00:01:00:09', type: 'static', node: 'host2' },
    ])
    expect((await weft('describe', 'node', 'host1')).stdout).toContain('unknown_vni')

    const metrics = await (await fetch(`http://127.0.0.1:${controller.port}/metrics`)).text()
    expect(metrics).toMatch(/weft_tunnel_packets_total\{node="host1",.*direction="transmit"\} \d+/)
    expect(metrics).toContain('weft_node_ready{node="host2"} 0')
  })

  it('refuses a topology that collides with one in force, at its place', async () => {
    const file = join(directory, 'other.yaml')
    writeFileSync(
      file,
      'apiVersion: weft/v1\nkind: Topology\nname: other\nnetworks:\n  green: { vni: 10000, mode: unicast }\n',
    )
    const { code, stderr } = await weft('apply', '-f', file)
    expect(code).toBe(5)
    expect(stderr).toMatch(/^weft: W-1104 line 5, column 17: .*10000/)
    expect((await json('get', 'topologies')).items).toHaveLength(1)
  })

  it('exports the file as it was applied, and takes it out of force', async () => {
    const { stdout } = await weft('export')
    expect(stdout).toContain('name: bridge-unicast\n')
    expect((await weft('delete', 'topology', 'bridge-unicast')).code).toBe(0)
    expect((await weft('delete', 'topology', 'bridge-unicast')).code).toBe(4)
  })

  it('says that a port is taken, and ends', async () => {
    const taken = `127.0.0.1:${controller.port}`
    const argv = [
      '--etcd',
      etcd.endpoint,
      '--grpc-listen',
      `unix:${join(directory, 'second.sock')}`,
      '--http-listen',
      taken,
    ]
    const second = spawn(process.execPath, ['--import', 'tsx', source('controller/main.ts'), ...argv])
    let stderr = ''
    second.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    expect(await once(second, 'exit')).toEqual([1, null])
    expect(stderr).toMatch(
      new RegExp(`^weft-controller: W-3014 cannot listen on ${taken}: it is in use by another process\n`),
    )
  })

  it('is not ready while etcd is away, serves what it knows, and refuses to apply', async () => {
    await weft('apply', '-f', topology)
    await etcd.kill()
    const readyz = async () => (await fetch(`http://127.0.0.1:${controller.port}/readyz`)).status
    await expect.poll(readyz, patient).toBe(503)
    expect((await weft('get', 'networks', '-o', 'name')).stdout).toBe('blue\nred\n')
    expect((await weft('status')).stdout).toContain('controller  degraded  W-3002')
    const { code, stderr } = await weft('delete', 'topology', 'bridge-unicast')
    expect(code).toBe(3)
    expect(stderr).toMatch(/^weft: W-3002 /)
    await etcd.run()
    await expect.poll(readyz, patient).toBe(200)
  })

  it('stops cleanly on SIGTERM, and leaves no socket', async () => {
    expect(await controller.end('SIGTERM')).toEqual([0, null])
    expect(controller.stderr).toBe('')
    expect(existsSync(controller.http)).toBe(false)
    const { code, stderr } = await weft('status')
    expect(code).toBe(3)
    expect(stderr).toContain('does not answer: no such socket')
  })
})

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ip } from '../../src/model/ip.js'
import { plainPort } from '../../src/model/segment.fixture.js'
import { mountBpffs, unmountBpffs } from '../../src/node/bpf/features.js'
import { ScriptedController } from './scripted-controller.js'

const root = join(import.meta.dirname, '../..')
let count = 0

export interface Daemon {
  readonly pid: number
  readonly child: ChildProcess
  /** JSON lines so far. */
  readonly log: Record<string, unknown>[]
  stderr: string
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>
}

export interface Flow {
  readonly counts: Promise<{ sent: number; received: number; duplicates: number }>
  isRunning(): boolean
}

/**
 * Two hosts with an underlay between them and an endpoint on each:
 *
 *     e0 ── tap0 h0 eth0 ═══ underlay ═══ eth0 h1 tap0 ── e1
 *     10.1.0.1    10.99.0.1            10.99.0.2    10.1.0.2
 */
export class Rig {
  readonly id = `wtn-${process.pid}-${++count}`
  readonly dir = `/run/${this.id}`
  readonly controller = new ScriptedController(`unix:${this.dir}/grpc.sock`)
  private readonly namespaces: string[] = []
  private readonly children = new Map<string, Daemon>()

  async build(opts: { readonly v6?: boolean } = {}): Promise<this> {
    execFileSync(join(root, 'scripts/build-bpf'))
    mkdirSync(`${this.dir}/bpf`, { recursive: true })
    mountBpffs(`${this.dir}/bpf`)
    const [h0, h1] = [this.namespace('h0'), this.namespace('h1')]
    ip(`link add eth0 netns ${h0} type veth peer name eth0 netns ${h1}`)
    for (const i of [0, 1]) {
      const host = this.ns(`h${i}`)
      this.endpoint(i)
      const address = opts.v6 ? `fd99::${i + 1}/64` : `10.99.0.${i + 1}/24`
      ip(`-n ${host} address add ${address} dev eth0${opts.v6 ? ' nodad' : ''}`)
      ip(`-n ${host} link set eth0 up`)
      this.controller.assignments.set(`h${i}`, {
        underlay_dev: 'eth0',
        vtep: address.split('/')[0] as Ip,
        udp_port: 4789,
        ports: [plainPort('tap0', 7)],
      })
    }
    this.controller.segment(7)
    await this.controller.start()
    return this
  }

  /** Makes (again) the endpoint of host `i` and its device in the host. */
  endpoint(i: number): void {
    const [host, endpoint] = [this.ns(`h${i}`), this.namespace(`e${i}`)]
    ip(`link add tap0 netns ${host} type veth peer name eth0 netns ${endpoint}`)
    ip(`-n ${endpoint} link set eth0 address 02:00:00:00:00:0${i + 1} mtu 1430`)
    ip(`-n ${endpoint} address add 10.1.0.${i + 1}/24 dev eth0`)
    ip(`-n ${endpoint} address add fd01::${i + 1}/64 dev eth0 nodad`)
    ip(`-n ${endpoint} link set eth0 up`)
    ip(`-n ${host} link set tap0 up`)
  }

  ns(name: string): string {
    return `${this.id}-${name}`
  }

  bpffs(host: string): string {
    return `${this.dir}/bpf/${host}`
  }

  /** Runs `ip` or another command in a namespace; its output. */
  run(name: string, command: string): string {
    const [program, ...args] = command.split(' ')
    return execFileSync('nsenter', [`--net=/run/netns/${this.ns(name)}`, program!, ...args], {
      encoding: 'utf8',
    })
  }

  daemon(
    host: string,
    flags: readonly string[] = [],
    opts: { controllers?: string; through?: readonly string[] } = {},
  ): Daemon {
    const child = spawn(
      'nsenter',
      [
        `--net=/run/netns/${this.ns(host)}`,
        ...(opts.through ?? []),
        process.execPath,
        '--import',
        'tsx',
        join(root, 'src/node/main.ts'),
        `--node-name=${host}`,
        `--controller=${opts.controllers ?? this.controller.address}`,
        `--bpffs=${this.bpffs(host)}`,
        `--http-listen=unix:${this.dir}/${host}.sock`,
        ...flags,
      ],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    const daemon = watch(child)
    this.children.set(`${host} ${child.pid}`, daemon)
    return daemon
  }

  /** GET over the daemon's socket. */
  get(host: string, path: string): string {
    const url = `http://localhost${path}`
    return execFileSync('curl', ['-s', '--unix-socket', `${this.dir}/${host}.sock`, url], {
      encoding: 'utf8',
    })
  }

  /** Of /api/v1/status. */
  status(host: string) {
    return JSON.parse(this.get(host, '/api/v1/status')) as {
      ready: boolean
      applied_revision: number
      passes: number
      failures: { code: string; what: string; message: string; next: string }[]
      repairs: Record<string, number>
      programs: { program: string; interface: string; id: number }[]
      ports: { interface: string; state: string; mtu: number }[]
      tunnels: { vtep: string; tx_packets: number; tx_flooded: number }[]
      verdicts: { program: string; reason: string; packets: number }[]
    }
  }

  /** False also while nobody serves. */
  isReady(host: string): boolean {
    const args = ['-s', '--unix-socket', `${this.dir}/${host}.sock`, 'http://localhost/readyz']
    return spawnSync('curl', args, { encoding: 'utf8' }).stdout.includes('"status":"ok"')
  }

  /** Until each host has acknowledged the controller's newest revision without failure. */
  async settled(...hosts: string[]): Promise<void> {
    for (const host of hosts) {
      await until(`${host} has applied all`, () => {
        const last = this.controller.told.get(host)?.applied.at(-1)
        return last?.revision === this.controller.revision && last.failures.length === 0
      })
    }
  }

  /** True when all of `n` echo requests are answered. */
  ping(from: string, to: string, n = 1): boolean {
    const args = ['ping', '-c', `${n}`, '-i', '0.05', '-W', '2', to]
    return spawnSync('nsenter', [`--net=/run/netns/${this.ns(from)}`, ...args]).status === 0
  }

  async kill(daemon: Daemon, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | string> {
    daemon.child.kill(signal)
    return daemon.ended
  }

  /** Echo requests, one each 2 ms, while the test goes on; `counts` is there when all are sent and the answers in. */
  flow(from: string, to: string, count: number): Flow {
    const args = ['ping', '-q', '-i', '0.002', '-c', `${count}`, '-W', '2', to]
    const child = spawn('nsenter', [`--net=/run/netns/${this.ns(from)}`, ...args])
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk
    })
    const number = (pattern: RegExp) => Number(pattern.exec(out)?.[1] ?? 0)
    const counts = new Promise((resolve) => child.once('close', resolve)).then(() => ({
      sent: number(/(\d+) packets transmitted/),
      received: number(/(\d+) received/),
      duplicates: number(/\+(\d+) duplicates/),
    }))
    return { counts, isRunning: () => child.exitCode === null }
  }

  async remove(): Promise<void> {
    for (const daemon of this.children.values()) if (daemon.child.exitCode === null) await this.kill(daemon)
    this.controller.stop()
    for (const name of this.namespaces) spawnSync('ip', ['netns', 'delete', name])
    unmountBpffs(`${this.dir}/bpf`)
    rmSync(this.dir, { recursive: true, force: true })
  }

  private namespace(name: string): string {
    const full = this.ns(name)
    if (!this.namespaces.includes(full)) {
      ip(`netns add ${full}`)
      ip(`-n ${full} link set lo up`)
      this.namespaces.push(full)
    }
    return full
  }
}

export function ip(args: string): string {
  return execFileSync('ip', args.split(' '), { encoding: 'utf8' })
}

/** Asks until it is so; the test's own timeout is the limit of patience. */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`not after 30 s: ${what}`)
    await sleep(20)
  }
}

function watch(child: ChildProcess): Daemon {
  const log: Record<string, unknown>[] = []
  let rest = ''
  child.stdout!.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) log.push(JSON.parse(line) as Record<string, unknown>)
  })
  const ended = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal!)),
  )
  const daemon: Daemon = { pid: child.pid!, child, log, stderr: '', ended }
  child.stderr!.on('data', (chunk: Buffer) => {
    daemon.stderr += chunk
  })
  return daemon
}

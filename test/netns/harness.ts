import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import type { NodeItem } from '../../src/api/items.js'
import type { ApiClient } from '../../src/common/api-client.js'
import { labClient } from '../../src/lab/bring-up.js'
import { type CommandResult, must, run } from '../../src/lab/command.js'
import { deployLab } from '../../src/lab/deploy.js'
import { destroyLab } from '../../src/lab/destroy.js'
import { announce, moveEndpoint } from '../../src/lab/move.js'
import { labDirectory, namespaceOf } from '../../src/lab/names.js'
import { isRunning, killAll, type ProcessRecord, readProcesses, startProcess } from '../../src/lab/process.js'
import type { LabRecord } from '../../src/lab/record.js'
import { parseLabSource } from '../../src/lab/topology-file.js'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const signal = new AbortController().signal

export type Endpoint = LabRecord['endpoints'][number]

/** A running lab, seen from a test. */
export class Lab {
  readonly client: ApiClient

  constructor(readonly record: LabRecord) {
    this.client = labClient(record.http.socket, signal)
  }

  get name(): string {
    return this.record.name
  }

  /** Network namespace of a host, an endpoint or a lab segment. */
  namespace(member: string): string {
    return namespaceOf(this.name, member)
  }

  endpoint(name: string): Endpoint {
    const found = this.record.endpoints.find((endpoint) => endpoint.name === name)
    if (!found) throw new Error(`lab ${this.name} has no endpoint ${name}`)
    return found
  }

  /** First address of a family, without prefix length. */
  address(endpoint: string, family: 4 | 6 = 4): string {
    const { addresses } = this.endpoint(endpoint)
    const found = addresses.find((address) => address.includes(':') === (family === 6))
    if (!found) throw new Error(`${endpoint} has no IPv${family} address`)
    return found.split('/')[0]!
  }

  /** Runs a command in a member's namespace; any exit code is an answer. */
  run(member: string, ...argv: string[]): Promise<CommandResult> {
    return run(argv, { namespace: this.namespace(member) })
  }

  /** As {@link run}, but the command has to succeed. Its output. */
  must(member: string, ...argv: string[]): Promise<string> {
    return must(argv, { namespace: this.namespace(member) })
  }

  /** How many of `count` pings, 20 ms apart, are answered. */
  async ping(from: string, address: string, { count = 3, size = 56 } = {}): Promise<number> {
    const argv = ['ping', '-n', '-q', '-i', '0.02', '-W', '1', '-c', `${count}`, '-s', `${size}`, address]
    const { stdout } = await this.run(from, ...argv)
    return Number(/(\d+) received/.exec(stdout)?.[1] ?? 0)
  }

  /** Plugs an endpoint into another host. Unless it keeps quiet, it announces itself, until all is said. */
  async move(endpoint: string, host: string, { quiet = false } = {}): Promise<void> {
    const moved = await moveEndpoint(this.name, endpoint, host)
    if (!quiet) await announce(moved)
  }

  /** Kills a process of the lab (`node-host0`, `controller`, `etcd`) with SIGKILL. */
  async kill(process: string): Promise<ProcessRecord> {
    const record = await this.process(process)
    await killAll([record.pid])
    return record
  }

  /** Asks a process to stop, as systemd would, and waits until it has. */
  async stop(process: string): Promise<ProcessRecord> {
    const record = await this.process(process)
    globalThis.process.kill(record.pid, 'SIGTERM')
    await eventually(`${process} stops`, async () => !isRunning(record))
    return record
  }

  /** Starts a process again as it was. */
  async start({ name, namespace, argv }: ProcessRecord): Promise<ProcessRecord> {
    return startProcess(this.name, { name, namespace, argv })
  }

  /** Items of a list of the controller's API. */
  async list<T>(
    name: Parameters<ApiClient['list']>[0],
    query: Record<string, string> = {},
  ): Promise<readonly T[]> {
    return (await this.client.list<T>(name, query)).items
  }

  /** Waits until all daemons are connected and have everything programmed. */
  async allReady(): Promise<void> {
    const ready = async () => {
      const nodes = await this.list<NodeItem>('nodes').catch(() => [])
      return nodes.length === this.record.hosts.length && nodes.every(({ state }) => state === 'ready')
    }
    await eventually('all nodes are ready', ready, 30_000)
  }

  async process(process: string): Promise<ProcessRecord> {
    const record = (await readProcesses(this.name)).find(({ name }) => name === process)
    if (!record) throw new Error(`lab ${this.name} has no process ${process}`)
    return record
  }

  log(process: string): string {
    return readFileSync(`${labDirectory(this.name)}/log/${process}.log`, 'utf8')
  }
}

/** Deploys a lab for one test. The caller destroys it. */
export async function deploy(topology: string, name: string, edit = (text: string) => text): Promise<Lab> {
  const source = parseLabSource(topology, edit(topologyText(topology)), name)
  await destroyLab(name)
  const said: string[] = []
  const write = (line: string) => void said.push(line)
  try {
    const { record } = await deployLab({ source, signal, write })
    return new Lab(record)
  } catch (err) {
    throw new Error(`${said.join('')}${(err as Error).message}`, { cause: err })
  }
}

/**
 * One lab for all tests of a file, up before the first and gone after the last.
 * Give each file a name of its own.
 */
export function labUp(topology: string, name: string, edit?: (text: string) => string): () => Lab {
  let lab: Lab | undefined
  beforeAll(async () => {
    lab = await deploy(topology, name, edit)
  })
  afterAll(async () => {
    await destroyLab(name)
  })
  return () => {
    if (!lab) throw new Error(`lab ${name} is not up`)
    return lab
  }
}

/** Text of a file in topologies/, or of a file beside the tests. */
export function topologyText(name: string): string {
  const directory = name.startsWith('./') ? `${root}test/netns/` : `${root}topologies/`
  return readFileSync(directory + name, 'utf8')
}

/** Asks again and again until the answer is true. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`)
    await sleep(50)
  }
}

/** Runs the real `weft` command, against a lab when one is given. */
export async function weft(lab: Lab | undefined, ...args: string[]): Promise<CommandResult> {
  const server = lab ? ['--server', lab.record.http.socket] : []
  return run([process.execPath, `${root}dist/cli/main.js`, ...server, ...args])
}

import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WeftError } from '../common/errors.js'
import { hostBpffs } from './bpffs.js'
import { readTail } from './log-tail.js'
import { labDirectory } from './names.js'
import type { PlannedHost } from './plan.js'
import { isRunning, logPath, type ProcessRecord, type ProcessSpec } from './process.js'

const packageRoot = fileURLToPath(new URL('../../', import.meta.url))

/** Addresses of a lab's control plane. All on loopback or in the lab's directory. */
export interface LabAddresses {
  readonly etcd_client: number
  readonly etcd_peer: number
  readonly http: number
  readonly grpc_socket: string
  readonly http_socket: string
}

/** Takes 7780 for HTTP, or the next port that is free; for etcd whatever the kernel gives. */
export async function chooseAddresses(lab: string): Promise<LabAddresses> {
  const directory = labDirectory(lab)
  const [etcd_client, etcd_peer] = await freePorts(2)
  return {
    etcd_client: etcd_client!,
    etcd_peer: etcd_peer!,
    http: await firstFreePort(7780),
    grpc_socket: `${directory}/grpc.sock`,
    http_socket: `${directory}/http.sock`,
  }
}

/** A single member with a data directory of its own. Its election needs no patience: nobody else votes. */
export function etcdProcess(lab: string, { etcd_client, etcd_peer }: LabAddresses): ProcessSpec {
  const client = `http://127.0.0.1:${etcd_client}`
  const peer = `http://127.0.0.1:${etcd_peer}`
  const flags = {
    name: 'lab',
    'data-dir': `${labDirectory(lab)}/etcd`,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `lab=${peer}`,
    'heartbeat-interval': '20',
    'election-timeout': '200',
    'auto-compaction-mode': 'periodic',
    'auto-compaction-retention': '5m',
    logger: 'zap',
    'log-outputs': 'stderr',
    'log-level': 'warn',
  }
  return { name: 'etcd', argv: ['etcd', ...toArgs(flags)] }
}

export function controllerProcess(addresses: LabAddresses): ProcessSpec {
  const args = toArgs({
    lab: 'true',
    etcd: `http://127.0.0.1:${addresses.etcd_client}`,
    'grpc-listen': `unix:${addresses.grpc_socket}`,
    'http-listen': `127.0.0.1:${addresses.http},unix:${addresses.http_socket}`,
  })
  return {
    name: 'controller',
    argv: [process.execPath, `${packageRoot}dist/controller/main.js`, ...args],
  }
}

/** A unix socket crosses network namespaces, so no host needs a management network. */
export function nodeProcess(lab: string, host: PlannedHost, addresses: LabAddresses): ProcessSpec {
  const args = toArgs({
    'node-name': host.name,
    controller: `unix:${addresses.grpc_socket}`,
    bpffs: hostBpffs(lab, host.name),
    'http-listen': '127.0.0.1:7781',
  })
  return {
    name: `node-${host.name}`,
    namespace: host.namespace,
    argv: [process.execPath, `${packageRoot}dist/node/main.js`, ...args],
  }
}

/**
 * Asks until `ready` says yes.
 *
 * @throws WeftError W-4005 when one of the processes ends first, with the last lines of its log, or after `timeoutMs`.
 */
export async function waitUntil(
  ready: () => Promise<boolean>,
  options: {
    readonly lab: string
    readonly what: string
    readonly processes: readonly ProcessRecord[]
    readonly timeoutMs: number
    readonly signal: AbortSignal
    /** What is known about the delay, for the message at the timeout. */
    readonly why?: () => string | undefined
  },
): Promise<void> {
  const { lab, what, processes, timeoutMs, signal } = options
  const deadline = performance.now() + timeoutMs
  while (!(await ready())) {
    signal.throwIfAborted()
    const dead = processes.find((process) => !isRunning(process))
    if (dead)
      throw new WeftError(
        'W-4005',
        `${dead.name} ended at its start. ${await readTail(logPath(lab, dead.name))}`,
      )
    if (performance.now() > deadline) {
      const why = options.why?.()
      throw new WeftError('W-4005', `${what} after ${timeoutMs / 1000} s${why ? `: ${why}` : ''}`, {
        next: `look into ${labDirectory(lab)}/log (weft lab deploy --keep leaves it)`,
      })
    }
    await sleep(20)
  }
}

function toArgs(flags: Record<string, string>): string[] {
  return Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])
}

async function firstFreePort(from: number): Promise<number> {
  for (let port = from; port < from + 100; port++) {
    if (port === 7789) continue // gRPC's, should somebody run a controller here
    try {
      const server = await listen(port)
      server.close()
      return port
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw err
    }
  }
  throw new WeftError('W-4005', `no port from ${from} to ${from + 99} is free on 127.0.0.1`, {
    next: 'ss -lntp',
  })
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  for (const server of servers) server.close()
  return ports
}

function listen(port: number) {
  return new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

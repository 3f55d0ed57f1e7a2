import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Two endpoints that reach each other through two hosts and one fabric bridge:
 *
 *     a ─ veth ─ host0 ─ veth ─ fabric bridge ─ veth ─ host1 ─ veth ─ b
 *
 * What differs between rigs is only how the hosts carry the frames. (The bare
 * rig has no hosts: one veth pair.)
 */
export interface Rig {
  readonly name: RigName
  readonly a: Endpoint
  readonly b: Endpoint
  /** Absent where there is no host to measure. */
  readonly path?: Path
  /** No other measure is taken on it. */
  readonly framesOnly?: boolean
}

export const rigNames = ['bare', 'routing', 'kernel-nf', 'kernel', 'weft-slow', 'weft-fast'] as const
export type RigName = (typeof rigNames)[number]

/** How to build a rig; what `up` left half done, `down` removes as well. */
export interface RigKind {
  readonly name: RigName
  up(signal: AbortSignal): Promise<Rig>
  down(): void
}

export interface Endpoint {
  readonly namespace: string
  readonly address: string
}

/** The devices between the endpoints, whose own device is `eth0`. */
export interface Path {
  readonly hosts: readonly [Host, Host]
  readonly fabric: string
  /** What is on the fabric: frames of this VNI; bare IP when there is none. */
  readonly vni?: number
}

/** `port` is where its endpoint is, `eth0` its underlay, `uplink` the fabric's end of that. */
export interface Host {
  readonly namespace: string
  readonly address: string
  readonly port: string
  readonly uplink: string
}

interface Inside {
  /** Where the scheduler likes, when not given. */
  readonly cpu: number | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Runs `argv` in a namespace; resolves with what it printed. */
export async function inside(
  namespace: string,
  argv: readonly string[],
  { cpu, timeoutMs, signal }: Inside,
): Promise<string> {
  const { stdout } = await run('nsenter', entering(namespace, cpu, argv), {
    timeout: timeoutMs,
    maxBuffer: 16 << 20,
    signal,
  })
  return stdout
}

/** Starts `argv` in a namespace; ends with the returned function. */
export function background(namespace: string, cpu: number | undefined, argv: readonly string[]): () => void {
  const child = spawn('nsenter', entering(namespace, cpu, argv), { stdio: 'ignore' })
  return () => child.kill()
}

function entering(namespace: string, cpu: number | undefined, argv: readonly string[]): string[] {
  const pinned = cpu === undefined ? argv : ['taskset', '-c', String(cpu), ...argv]
  return [`--net=/run/netns/${namespace}`, ...pinned]
}

export function ip(namespace: string | undefined, batch: readonly string[]): void {
  const where = namespace === undefined ? [] : ['-n', namespace]
  execFileSync('ip', [...where, '-batch', '-'], {
    input: `${batch.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
}

export function macOf(namespace: string, device: string): string {
  const [link] = JSON.parse(
    execFileSync('ip', ['-n', namespace, '-j', 'link', 'show', device], { encoding: 'utf8' }),
  )
  return link.address
}

/** Sets a sysctl of a namespace that may be absent there: br_netfilter is a module on most kernels. */
export function sysctl(namespace: string, settings: Readonly<Record<string, string>>): void {
  const args = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  execFileSync('nsenter', [`--net=/run/netns/${namespace}`, 'sysctl', '-q', '-e', '-w', ...args], {
    stdio: 'ignore',
  })
}

/** Whether bridged frames go through iptables: on by default, it costs the kernel's bridge a fifth of its speed. */
export function bridgeNetfilter(namespace: string, on: boolean): void {
  const tables = ['iptables', 'ip6tables', 'arptables']
  const value = on ? '1' : '0'
  sysctl(namespace, Object.fromEntries(tables.map((table) => [`net.bridge.bridge-nf-call-${table}`, value])))
}

export function bridge(namespace: string, command: string): void {
  execFileSync('bridge', ['-n', namespace, ...command.split(' ')], { stdio: ['ignore', 'ignore', 'inherit'] })
}

export function removeNamespace(namespace: string): void {
  if (existsSync(`/run/netns/${namespace}`)) execFileSync('ip', ['netns', 'del', namespace])
}

import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Two endpoints that reach each other through two hosts and one fabric bridge:
 *
 *     a ─ veth ─ host0 ─ veth ─ fabric bridge ─ veth ─ host1 ─ veth ─ b
 *
 * What differs between rigs is only how the hosts carry the frames.
 */
export interface Rig {
  readonly name: string
  readonly a: Endpoint
  readonly b: Endpoint
  down(): void
}

export interface Endpoint {
  readonly namespace: string
  readonly address: string
}

/** Runs `argv` in a namespace on one CPU; resolves with what it printed. */
export async function inside(
  namespace: string,
  cpu: number,
  argv: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const command = ['taskset', '-c', String(cpu), ...argv]
  const { stdout } = await run('nsenter', [`--net=/run/netns/${namespace}`, ...command], {
    timeout: timeoutMs,
    maxBuffer: 16 << 20,
  })
  return stdout
}

/** Starts `argv` in a namespace on one CPU; ends with the returned function. */
export function background(namespace: string, cpu: number, argv: readonly string[]): () => void {
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, 'taskset', '-c', String(cpu), ...argv], {
    stdio: 'ignore',
  })
  return () => child.kill()
}

export function ip(namespace: string | undefined, batch: readonly string[]): void {
  const where = namespace === undefined ? [] : ['-n', namespace]
  execFileSync('ip', [...where, '-batch', '-'], {
    input: `${batch.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
}

/** Sets a sysctl of a namespace that may be absent there: br_netfilter is a module on most kernels. */
export function sysctl(namespace: string, settings: Readonly<Record<string, string>>): void {
  const args = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  execFileSync('nsenter', [`--net=/run/netns/${namespace}`, 'sysctl', '-q', '-e', '-w', ...args], {
    stdio: 'ignore',
  })
}

/** Bridged frames skip iptables: on by default, it costs the kernel's bridge a fifth of its speed. */
export function withoutBridgeNetfilter(namespace: string): void {
  const tables = ['iptables', 'ip6tables', 'arptables']
  sysctl(namespace, Object.fromEntries(tables.map((table) => [`net.bridge.bridge-nf-call-${table}`, '0'])))
}

export function bridge(namespace: string, command: string): void {
  execFileSync('bridge', ['-n', namespace, ...command.split(' ')], { stdio: ['ignore', 'ignore', 'inherit'] })
}

export function removeNamespace(namespace: string): void {
  if (existsSync(`/run/netns/${namespace}`)) execFileSync('ip', ['netns', 'del', namespace])
}

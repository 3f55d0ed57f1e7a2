import { setTimeout as sleep } from 'node:timers/promises'
import type { LabTcpCheck } from '../../topology/lab-spec.js'
import { type CommandResult, run } from '../command.js'
import type { Endpoint, Finding } from './check.js'

const PORT = '5290'

/** What iperf3's `--json` says, as far as it is read here. */
interface IperfReport {
  readonly error?: string
  readonly end?: {
    readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number }
    readonly sum_sent?: { readonly retransmits?: number }
  }
}

/** One TCP transfer by iperf3, judged at the receiver. */
export interface Transfer {
  readonly bytes: number
  readonly bitsPerSecond: number
  readonly retransmits: number
  /** iperf3's own words; absent when the transfer went through. */
  readonly failure?: string
}

/** A TCP transfer to each of the addresses moves bytes. */
export async function checkTcp(
  { from, to, addresses, duration_ms, flows }: LabTcpCheck,
  endpoints: readonly Endpoint[],
  signal: AbortSignal,
): Promise<Finding> {
  const client = endpoints.find((endpoint) => endpoint.name === from)
  const server = endpoints.find((endpoint) => endpoint.name === to)
  if (!client || !server) return { ok: false, detail: `${client ? to : from} is not an endpoint of the lab` }
  const rates: string[] = []
  for (const address of addresses) {
    const transfer = await transferTcp({
      from: client.namespace,
      to: server.namespace,
      address,
      seconds: Math.max(1, Math.round(duration_ms / 1000)),
      flows,
      signal,
    })
    if (transfer.failure) return { ok: false, detail: `${from} → ${address}: ${transfer.failure}` }
    rates.push(`${(transfer.bitsPerSecond / 1e9).toFixed(1)} Gbit/s to ${address}`)
  }
  return { ok: rates.length > 0, detail: rates.join(', ') || 'no address to try' }
}

/** Runs iperf3 between two namespaces: a server for this one transfer, and a client. */
export async function transferTcp(options: {
  readonly from: string
  readonly to: string
  readonly address: string
  readonly seconds: number
  readonly flows?: number
  /** As fast as it goes unless given. */
  readonly bitsPerSecond?: number
  readonly signal?: AbortSignal
}): Promise<Transfer> {
  const { from, to, address, seconds, flows = 1, bitsPerSecond = 0, signal } = options
  const stop = new AbortController()
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const serverArgv = ['iperf3', '--server', '--one-off', '--port', PORT]
  const server = run(serverArgv, { namespace: to, signal: both }).catch(() => undefined)
  try {
    await untilListening(to, both)
    const argv = ['iperf3', '--client', address, '--port', PORT, '--json']
    argv.push('--time', String(seconds), '--parallel', String(flows), '--connect-timeout', '3000')
    argv.push('--bitrate', String(bitsPerSecond))
    return readTransfer(await run(argv, { namespace: from, signal: both }))
  } finally {
    stop.abort()
    await server
  }
}

async function untilListening(namespace: string, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { stdout } = await run(['ss', '-Hltn', `sport = :${PORT}`], { namespace, signal })
    if (stdout !== '') return
    await sleep(20, undefined, { signal })
  }
}

function readTransfer({ code, stdout, stderr }: CommandResult): Transfer {
  let report: IperfReport = {}
  try {
    report = JSON.parse(stdout) as IperfReport
  } catch {
    return { bytes: 0, bitsPerSecond: 0, retransmits: 0, failure: stderr.trim() || `iperf3 exit ${code}` }
  }
  const received = report.end?.sum_received
  const bytes = received?.bytes ?? 0
  const failure = report.error ?? (bytes > 0 ? undefined : 'no bytes arrived')
  return {
    bytes,
    bitsPerSecond: received?.bits_per_second ?? 0,
    retransmits: report.end?.sum_sent?.retransmits ?? 0,
    ...(failure ? { failure } : {}),
  }
}

import type { LabTraffic } from '../topology/lab-spec.js'
import type { LabPlan } from './plan.js'
import type { ProcessSpec } from './process.js'

/** iperf3 serves one client at a time, so each TCP flow has a server on a port of its own from here on. */
const FIRST_TCP_PORT = 5300

/** The background processes of a lab's `traffic` section. */
export function trafficProcesses(plan: LabPlan, traffic: readonly LabTraffic[]): ProcessSpec[] {
  const namespaces = new Map(plan.endpoints.map((endpoint) => [endpoint.name, endpoint.namespace]))
  const flows = traffic.flatMap((one) => Array.from({ length: one.flows }, () => one))
  return flows.flatMap((one, index) => {
    const name = `traffic-${index}`
    const from = namespaces.get(one.from)
    if (one.kind === 'ping') return [{ name, namespace: from, argv: pingArgv(one) }]
    const port = FIRST_TCP_PORT + index
    const client = { name, namespace: from, argv: tcpArgv(one, port) }
    // An address that is no endpoint's has a server of its own.
    if (!namespaces.has(one.to)) return [client]
    const argv = ['iperf3', '--server', '--port', String(port)]
    return [{ name: `${name}-server`, namespace: namespaces.get(one.to), argv }, client]
  })
}

function pingArgv({ address, every_ms, size, count }: Extract<LabTraffic, { kind: 'ping' }>): string[] {
  const times = count === undefined ? [] : ['-c', String(count)]
  return ['ping', '-n', '-q', '-i', String(every_ms / 1000), '-s', String(size), ...times, address]
}

function tcpArgv(traffic: Extract<LabTraffic, { kind: 'tcp' }>, port: number): string[] {
  const { address, duration_ms, every_ms, count } = traffic
  const script =
    'n=0; while [ "$5" = - ] || [ $n -lt "$5" ]; do iperf3 -c "$1" -p "$2" -t "$3"; n=$((n+1)); sleep "$4"; done'
  const seconds = String(Math.max(1, Math.round(duration_ms / 1000)))
  return [
    'sh',
    '-c',
    script,
    'sh',
    address,
    String(port),
    seconds,
    String(every_ms / 1000),
    String(count ?? '-'),
  ]
}

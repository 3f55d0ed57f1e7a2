import { Counter, Gauge, Registry } from 'prom-client'
import { version } from '../../common/version.js'
import type { Report } from '../../rpc/records.js'
import { abiDigest } from '../bpf/abi.gen.js'
import type { NodeStatus } from '../status.js'
import type { Uplink } from '../sync/uplink.js'
import type { Losses } from './counters.js'

/** What a scrape reads; counters are absent before the programs are loaded. */
export interface Reading {
  readonly status: NodeStatus
  readonly uplink: Uplink
  readonly counters: { readonly report: Report; readonly losses: Losses } | undefined
}

type Labels = Readonly<Record<string, string | number>>

/**
 * Prometheus text, made from the kernel's counters at each scrape. Labels are
 * bounded: networks, VTEPs, reasons; never MACs.
 */
export async function renderMetrics(reading: Reading): Promise<{ text: string; contentType: string }> {
  const registry = new Registry()
  const gauge = family(registry, Gauge)
  const counter = family(registry, Counter)
  const { status, uplink, counters } = reading

  gauge('weft_build_info', 'Always 1', [[{ version, abi: abiDigest.slice(0, 12) }, 1]])
  gauge('weft_node_ready', '1: connected, all of the newest state is in the kernel', [
    [{}, isReady(reading) ? 1 : 0],
  ])
  gauge('weft_node_revision', 'Revision that is in the kernel', [[{}, Number(status.applied?.revision ?? 0)]])
  gauge('weft_node_groups', 'Multicast groups of the underlay that the node is a member of', [
    [{}, status.groups],
  ])
  gauge('weft_node_failures', 'Objects that could not be programmed', byCode(status))
  counter('weft_grpc_streams_total', 'Streams that came in sync', [[{}, uplink.status.streams]])
  counter(
    'weft_repairs_total',
    'Kernel objects that somebody else changed and that were put right',
    [...status.repairs].map(([driver, count]) => [{ driver }, count]),
  )
  if (counters) {
    traffic(counter, counters, status)
    dataplane(gauge, counters.report)
    counter(
      'weft_bpf_map_evictions_total',
      'Entries that a full map gave up before their time',
      [...status.evictions].map(([map, count]) => [{ map }, count]),
    )
  }
  return { text: await registry.metrics(), contentType: registry.contentType }
}

/** Whether this node does all that it was asked for. */
export function isReady({ status, uplink }: Pick<Reading, 'status' | 'uplink'>): boolean {
  return uplink.status.connected && status.applied !== undefined && status.failures.length === 0
}

type Write = (name: string, help: string, samples: readonly (readonly [Labels, number])[]) => void

function traffic(
  counter: Write,
  { report, losses }: NonNullable<Reading['counters']>,
  status: NodeStatus,
): void {
  const network = (vni: number) => status.applied?.segments.get(vni)?.spec.network ?? ''
  const tunnels = report.tunnels.flatMap((tunnel) =>
    (['transmit', 'receive'] as const).map((direction) => ({ tunnel, direction })),
  )
  const of = (unit: 'packets' | 'bytes' | 'flooded') =>
    tunnels.map(({ tunnel, direction }): [Labels, number] => [
      { vni: tunnel.vni, network: network(tunnel.vni), remote: tunnel.vtep, direction },
      tunnel[`${direction === 'transmit' ? 'tx' : 'rx'}_${unit}`],
    ])
  counter('weft_tunnel_packets_total', 'Packets to and from a VTEP', of('packets'))
  counter('weft_tunnel_bytes_total', 'Bytes of the inner frames to and from a VTEP', of('bytes'))
  counter('weft_tunnel_flooded_packets_total', 'Of the packets, those to everybody', of('flooded'))
  const verdicts = (wanted: (reason: string) => boolean, count: 'packets' | 'bytes') =>
    report.verdicts
      .filter(({ reason }) => wanted(reason))
      .map((verdict): [Labels, number] => {
        const { vni, program, reason } = verdict
        return [{ vni, network: network(vni), program, reason, direction: 'ingress' }, verdict[count]]
      })
  const isDrop = (reason: string) => !reason.startsWith('forward_')
  counter('weft_drops_total', 'Packets dropped, by reason', verdicts(isDrop, 'packets'))
  counter(
    'weft_forwarded_packets_total',
    'Packets forwarded',
    verdicts((reason) => !isDrop(reason), 'packets'),
  )
  counter(
    'weft_forwarded_bytes_total',
    'Bytes forwarded',
    verdicts((reason) => !isDrop(reason), 'bytes'),
  )
  counter('weft_events_lost_total', 'Events that did not fit', [[{ where: 'ring' }, report.events_lost]])
  counter(
    'weft_losses_total',
    'Lost beside the frames, by kind',
    [...losses].map(([kind, count]) => [{ kind }, count]),
  )
}

function dataplane(gauge: Write, report: Report): void {
  gauge(
    'weft_bpf_map_entries',
    'Entries of a map',
    report.maps.map(({ map, entries }) => [{ map }, entries]),
  )
  gauge(
    'weft_bpf_map_max_entries',
    'Entries that a map takes',
    report.maps.map(({ map, max_entries }) => [{ map }, max_entries]),
  )
  gauge(
    'weft_bpf_program_attached',
    '1: the program runs there',
    report.programs.map(({ program, interface: name, direction }) => [
      { program, interface: name, direction },
      1,
    ]),
  )
  gauge('weft_tunnel_mtu_bytes', 'MTU of the VXLAN device; 0: it is away', [[{}, report.tunnel_mtu]])
  gauge(
    'weft_port_up',
    '1: the port has a device and it is up',
    report.ports.map((port) => [{ interface: port.interface, vni: port.vni }, port.state === 'up' ? 1 : 0]),
  )
}

function byCode(status: NodeStatus): [Labels, number][] {
  const counts = new Map<string, number>()
  for (const { code } of status.failures) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts].map(([code, count]) => [{ code }, count])
}

/** One metric with all its samples; the kernel's totals are absolute, and each scrape starts from nothing. */
function family(registry: Registry, Kind: typeof Gauge | typeof Counter): Write {
  return (name, help, samples) => {
    if (samples.length === 0) return // else it would show a zero without labels
    const labelNames = Object.keys(samples[0]?.[0] ?? {})
    const metric = new Kind({ name, help, labelNames, registers: [registry] })
    for (const [labels, value] of samples) metric.inc(labels, value)
  }
}

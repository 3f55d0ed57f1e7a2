import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ApplyResult } from '../../api/topology.js'
import { version } from '../../common/version.js'
import { dropItems, nodeState, tunnelItems } from './items.js'
import type { Observed } from './observed.js'

/**
 * The controller's metrics, read off the control plane when they are scraped.
 * Labels are bounded: nodes, networks, VTEPs and reasons, never a MAC or an inner IP.
 */
export class Metrics {
  readonly registry = new Registry()
  private readonly applyDuration: Histogram<'stage'>

  constructor(private readonly observed: Observed) {
    collectDefaultMetrics({ register: this.registry })
    this.applyDuration = new Histogram({
      name: 'weft_apply_duration_seconds',
      help: 'From an apply to the end of each stage: stored, sent, programmed.',
      labelNames: ['stage'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [this.registry],
    })
    this.gauge('weft_build_info', 'Always 1; the labels say what runs.', ['version'], (set) =>
      set({ version }, 1),
    )
    this.nodeMetrics()
    this.trafficMetrics()
    this.controlMetrics()
  }

  observeApply({ stored_ms, sent_ms, programmed_ms }: ApplyResult['stages']): void {
    for (const [stage, ms] of Object.entries({
      stored: stored_ms,
      sent: sent_ms,
      programmed: programmed_ms,
    })) {
      if (ms !== null) this.applyDuration.observe({ stage }, ms / 1000)
    }
  }

  private nodeMetrics(): void {
    const { control } = this.observed
    const nodes = () => control.nodes()
    this.gauge(
      'weft_node_ready',
      '1 when the node is connected and has programmed all of it.',
      ['node'],
      (set) => {
        for (const node of nodes())
          if (node.declared) set({ node: node.name }, nodeState(node) === 'ready' ? 1 : 0)
      },
    )
    this.gauge('weft_node_revision', "Newest revision in the node's kernel.", ['node'], (set) => {
      for (const { name, applied_revision } of nodes()) set({ node: name }, Number(applied_revision))
    })
    this.gauge('weft_controller_revision', 'Newest revision in the view.', [], (set) =>
      set({}, Number(control.revision)),
    )
    this.gauge('weft_grpc_streams', 'Nodes that are connected.', [], (set) =>
      set({}, nodes().filter(({ connected }) => connected).length),
    )
    this.gauge('weft_macs', 'MACs by network and how they are known.', ['network', 'type'], (set) => {
      for (const [key, count] of this.observed.macCounts.ofType) {
        const [network, type] = key.split('/')
        set({ network: network!, type: type! }, count)
      }
    })
    this.gauge('weft_bpf_map_entries', 'Entries of a BPF map.', ['node', 'map'], (set) => {
      for (const { name, report } of nodes()) {
        for (const { map, entries } of report?.maps ?? []) set({ node: name, map }, entries)
      }
    })
    this.counter('weft_events_lost_total', 'Events that did not fit the ring.', ['node', 'where'], (set) => {
      for (const { name, report } of nodes())
        if (report) set({ node: name, where: 'ring' }, report.events_lost)
    })
    this.counter('weft_losses_total', 'Lost beside frames and events, by kind.', ['node', 'kind'], (set) => {
      for (const { name, report } of nodes()) {
        for (const { kind, count } of report?.losses ?? []) set({ node: name, kind }, count)
      }
    })
  }

  private trafficMetrics(): void {
    const labels = ['node', 'vni', 'network', 'remote', 'direction']
    const tunnels = (set: SetValue, kind: 'packets' | 'bytes') => {
      for (const tunnel of this.observed.control
        .nodes()
        .flatMap((node) => tunnelItems(this.observed, node))) {
        const where = {
          node: tunnel.node,
          vni: String(tunnel.vni),
          network: tunnel.network ?? '',
          remote: tunnel.remote,
        }
        set({ ...where, direction: 'transmit' }, tunnel[`tx_${kind}`])
        set({ ...where, direction: 'receive' }, tunnel[`rx_${kind}`])
      }
    }
    this.counter('weft_tunnel_packets_total', 'Inner frames by VNI and remote VTEP.', labels, (set) =>
      tunnels(set, 'packets'),
    )
    this.counter('weft_tunnel_bytes_total', 'Bytes of inner frames by VNI and remote VTEP.', labels, (set) =>
      tunnels(set, 'bytes'),
    )
    this.counter(
      'weft_drops_total',
      'Frames dropped, by reason.',
      ['node', 'vni', 'program', 'reason'],
      (set) => {
        for (const drop of this.observed.control.nodes().flatMap((node) => dropItems(this.observed, node))) {
          const { node, vni, program, reason } = drop
          set({ node, vni: String(vni), program, reason }, drop.packets)
        }
      },
    )
  }

  private controlMetrics(): void {
    const { control } = this.observed
    const simple = {
      weft_etcd_watch_restarts_total: [
        'Times the etcd watch began anew.',
        () => control.counters.watch_restarts,
      ],
      weft_etcd_relists_total: ['Full lists of etcd after the first.', () => control.counters.relists],
      weft_etcd_missed_events_total: [
        'Changes that a full list found and the watch had not told.',
        () => control.counters.missed_events,
      ],
      weft_mac_moves_total: ['MACs that changed their place.', () => control.counters.mac_moves],
      weft_claims_taken_total: ['MACs taken over from nodes.', () => control.counters.claims_taken],
      weft_grpc_snapshots_resent_total: [
        'Segments sent whole because a node asked.',
        () => control.counters.snapshots_resent,
      ],
      weft_grpc_streams_evicted_total: [
        'Streams ended because the node did not read.',
        () => control.counters.streams_evicted,
      ],
    } as const
    for (const [name, [help, value]] of Object.entries(simple))
      this.counter(name, help, [], (set) => set({}, value()))
    this.counter('weft_claims_refused_total', 'MACs not taken over, by reason.', ['reason'], (set) => {
      for (const [reason, count] of Object.entries(control.counters.claims_refused)) set({ reason }, count)
    })
    this.gauge('weft_etcd_quarantined', 'Values in etcd that cannot be read.', [], (set) =>
      set({}, control.counters.quarantined),
    )
    this.gauge('weft_etcd_up', '1 while etcd answers.', [], (set) => set({}, control.store.available ? 1 : 0))
  }

  private gauge(name: string, help: string, labelNames: string[], fill: (set: SetValue) => void): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        gauge.reset() // what is gone must not stay
        fill((labels, value) => gauge.set(labels, value))
      },
    })
  }

  // Totals come from the nodes, so a counter is written anew at each scrape.
  private counter(name: string, help: string, labelNames: string[], fill: (set: SetValue) => void): void {
    const counter: Counter = new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        counter.reset()
        fill((labels, value) => counter.inc(labels, value))
      },
    })
  }
}

type SetValue = (labels: Record<string, string>, value: number) => void

import { version } from '../../common/version.js'
import { abiDigest } from '../bpf/abi.gen.js'
import { isReady, type Reading } from '../telemetry/metrics.js'

/** What GET /api/v1/status says: this node from its own point of view. */
export function statusOf(node: string, reading: Reading) {
  const { status, uplink, counters } = reading
  const { applied } = status
  return {
    name: node,
    version,
    abi: abiDigest,
    ready: isReady(reading),
    started_at: status.startedAt.toISOString(),
    controller: uplink.status,
    applied_revision: Number(applied?.revision ?? 0),
    vtep: applied?.assignment.vtep ?? null,
    dev: applied?.assignment.underlay_dev ?? null,
    udp_port: applied?.assignment.udp_port ?? null,
    fast_path: status.fastPath,
    tunnel_mtu: status.tunnel?.mtu ?? null,
    groups: status.groups,
    passes: status.passes,
    repairs: Object.fromEntries(status.repairs),
    failures: status.failures,
    networks: [...(applied?.segments.values() ?? [])].map(({ vni, revision, entries, spec }) => ({
      name: spec.network,
      vni,
      revision: Number(revision),
      macs: entries.size,
    })),
    ports: counters?.report.ports ?? [],
    programs: status.programs,
    maps: counters?.report.maps ?? [],
    map_evictions: Object.fromEntries(status.evictions),
    tunnels: counters?.report.tunnels ?? [],
    verdicts: counters?.report.verdicts ?? [],
    losses: Object.fromEntries(counters?.losses ?? []),
  }
}

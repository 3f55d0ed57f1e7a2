import type {
  DropItem,
  MacItem,
  NetworkItem,
  NodeDetail,
  NodeItem,
  nodeStates,
  PortItem,
  TunnelItem,
} from '../../api/items.js'
import type { TopologyItem } from '../../api/topology.js'
import type { PathState } from '../../rpc/records.js'
import type { MacEntry, NodeStatus, StoredTopology } from '../control.js'
import { isDrop, type Observed } from './observed.js'

/** The lists of the API, read off the control plane. */

export function topologyItem({ name, revision, applied_at, desired }: StoredTopology): TopologyItem {
  return {
    name,
    description: desired.description,
    revision: Number(revision),
    applied_at,
    nodes: desired.nodes.length,
    networks: desired.networks.length,
    ports: desired.networks.reduce((sum, network) => sum + network.ports.length, 0),
  }
}

export function nodeState(node: NodeStatus): (typeof nodeStates)[number] {
  if (!node.declared) return 'undeclared'
  if (!node.connected) return 'away'
  if (node.failures.length > 0) return 'degraded'
  return node.applied_revision < node.sent_revision || node.applied_revision === 0n ? 'behind' : 'ready'
}

export function nodeItem(observed: Observed, node: NodeStatus): NodeItem {
  const { report } = node
  const drops = dropItems(observed, node)
  return {
    name: node.name,
    state: nodeState(node),
    vtep: node.spec?.underlay?.address ?? null,
    dev: node.spec?.underlay?.dev ?? null,
    udp_port: node.spec?.underlay?.port ?? null,
    connected: node.connected,
    sent_revision: Number(node.sent_revision),
    applied_revision: Number(node.applied_revision),
    last_heard_at: node.last_heard_at ?? null,
    version: node.version ?? null,
    abi: node.abi ?? null,
    ports: observed.directory.portCount(node.name),
    macs: observed.macCounts.ofNode.get(node.name) ?? 0,
    drops_per_s: report ? drops.reduce((sum, drop) => sum + (drop.packets_per_s ?? 0), 0) : null,
    events_lost: report?.events_lost ?? 0,
    losses: lossesOf([node]),
    tunnel_mtu: report?.tunnel_mtu || null,
    failures: [...node.failures],
  }
}

/** By kind, over all `nodes`; kinds that never happened are left out. */
export function lossesOf(nodes: readonly NodeStatus[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const { kind, count } of nodes.flatMap(({ report }) => report?.losses ?? [])) {
    if (count > 0) sum[kind] = (sum[kind] ?? 0) + count
  }
  return sum
}

export function nodeDetail(observed: Observed, node: NodeStatus): NodeDetail {
  return {
    ...nodeItem(observed, node),
    instance: node.instance ?? null,
    port_list: portItems(observed, (name) => name === node.name),
    program_list: [...(node.report?.programs ?? [])],
    map_list: [...(node.report?.maps ?? [])],
    tunnel_list: tunnelItems(observed, node),
    drop_list: dropItems(observed, node),
  }
}

export function networkItems(observed: Observed): NetworkItem[] {
  return observed.directory.networks.map((network) => ({
    name: network.name,
    topology: network.topology,
    vni: network.vni,
    mode: network.mode,
    flood: network.flood,
    group: network.group ?? null,
    learning: network.learning,
    arp: network.arp,
    mac_ageing_s: network.mac_ageing_s,
    mtu: network.mtu,
    mac_limit: network.mac_limit,
    bum_limit: network.bum_limit,
    ra_guard: network.ra_guard,
    fast_path: network.fast_path,
    nodes: [...new Set(network.ports.map((port) => port.node))],
    ports: network.ports.length,
    macs: observed.macCounts.ofVni.get(String(network.vni)) ?? 0,
    remotes: [...network.remotes],
  }))
}

export function portItems(observed: Observed, ofNode: (name: string) => boolean = () => true): PortItem[] {
  const reported = new Map(
    observed.control
      .nodes()
      .flatMap(({ name, report }) =>
        (report?.ports ?? []).map((port) => [`${name}/${port.interface}`, port] as const),
      ),
  )
  return observed.directory.networks.flatMap((network) =>
    network.ports
      .filter(({ node }) => ofNode(node))
      .map(({ node, interface: dev, kind = 'device', macs, addresses, router }) => {
        const port = reported.get(`${node}/${dev}`)
        return {
          node,
          interface: dev,
          network: network.name,
          vni: network.vni,
          kind,
          allowed_macs: [...(macs ?? [])],
          allowed_ips: [...(addresses ?? [])],
          router: router ?? false,
          state: port?.state ?? 'unknown',
          mtu: port?.mtu || null,
          ifindex: port?.ifindex || null,
          macs: observed.macCounts.ofPort.get(`${node}/${dev}`) ?? 0,
        }
      }),
  )
}

export function macItem(mac: MacEntry): MacItem {
  return {
    network: mac.network,
    vni: mac.vni,
    mac: mac.mac,
    ip: [...mac.ips],
    type: mac.type,
    node: mac.node ?? null,
    interface: mac.interface ?? null,
    vtep: mac.vtep,
    learned: mac.learned,
    seq: mac.seq,
    flags: mac.flags,
    since_s: mac.since_s ?? null,
    seen_s: null,
  }
}

export function tunnelItems(observed: Observed, { name, spec, report }: NodeStatus): TunnelItem[] {
  const { directory, macCounts } = observed
  return (report?.tunnels ?? []).map(({ vtep, ...counts }) => {
    const rate = observed.tunnelRate(name, counts.vni, vtep)
    return {
      node: name,
      peer: directory.nodeName(vtep),
      network: directory.networkName(counts.vni),
      local: spec?.underlay?.address ?? null,
      remote: vtep,
      ...counts,
      tx_packets_per_s: rate?.['tx_packets'] ?? null,
      tx_bytes_per_s: rate?.['tx_bytes'] ?? null,
      rx_packets_per_s: rate?.['rx_packets'] ?? null,
      rx_bytes_per_s: rate?.['rx_bytes'] ?? null,
      macs: macCounts.ofVtep.get(`${counts.vni}/${vtep}`) ?? 0,
      mtu: report?.tunnel_mtu || null,
      ...pathFields(report?.paths.find((path) => path.vtep === vtep)),
    }
  })
}

function pathFields(path: PathState | undefined) {
  return {
    path_state: path?.state ?? null,
    path_mtu: path?.path_mtu || null,
    wanted_mtu: path?.wanted_mtu ?? null,
    rtt_us: path?.rtt_us || null,
  }
}

export function dropItems(observed: Observed, { name, report }: NodeStatus): DropItem[] {
  return (report?.verdicts ?? [])
    .filter(({ reason }) => isDrop(reason))
    .map(({ vni, program, reason, packets, bytes }) => ({
      node: name,
      network: observed.directory.networkName(vni),
      vni,
      program,
      reason: reason.replace(/^drop_/, ''),
      packets,
      bytes,
      packets_per_s: observed.dropRate(name, vni, program, reason),
    }))
}

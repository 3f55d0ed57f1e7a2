import type { DropItem, MacItem, NetworkItem, NodeItem, PortItem, TunnelItem } from '../api/items.js'
import type { ItemOf, ListName } from '../api/list.js'
import type { TopologyItem } from '../api/topology.js'
import { type Ip, vxlanOverhead } from '../model/ip.js'
import type { View } from './output.js'
import { formatAge, formatBytes, formatCount, formatMicroseconds, formatRate, orDash } from './quantity.js'

const ageOf = (time: string | null) => (time === null ? null : (Date.now() - Date.parse(time)) / 1000)

const topologies: View<TopologyItem> = {
  name: (item) => item.name,
  columns: [
    { header: 'NAME', cell: (item) => item.name },
    { header: 'REVISION', cell: (item) => String(item.revision) },
    { header: 'NODES', cell: (item) => formatCount(item.nodes) },
    { header: 'NETWORKS', cell: (item) => formatCount(item.networks) },
    { header: 'PORTS', cell: (item) => formatCount(item.ports) },
    { header: 'APPLIED', cell: (item) => formatAge(ageOf(item.applied_at)) },
    { header: 'DESCRIPTION', cell: (item) => orDash(item.description), wide: true },
  ],
}

const nodes: View<NodeItem> = {
  name: (item) => item.name,
  columns: [
    { header: 'NAME', cell: (item) => item.name },
    { header: 'STATE', cell: (item) => item.state },
    { header: 'VTEP', cell: (item) => orDash(item.vtep) },
    { header: 'DEV', cell: (item) => orDash(item.dev) },
    { header: 'PORTS', cell: (item) => formatCount(item.ports) },
    { header: 'MACS', cell: (item) => formatCount(item.macs) },
    { header: 'REVISION', cell: (item) => String(item.applied_revision) },
    { header: 'HEARD', cell: (item) => formatAge(ageOf(item.last_heard_at)) },
    { header: 'VERSION', cell: (item) => orDash(item.version), wide: true },
    { header: 'ABI', cell: (item) => orDash(item.abi?.slice(0, 12)), wide: true },
    { header: 'MTU', cell: (item) => orDash(item.tunnel_mtu), wide: true },
    { header: 'DROPS/s', cell: (item) => formatRate(item.drops_per_s), wide: true },
    { header: 'LOST', cell: (item) => formatCount(item.events_lost), wide: true },
  ],
}

const networks: View<NetworkItem> = {
  name: (item) => item.name,
  columns: [
    { header: 'NAME', cell: (item) => item.name },
    { header: 'VNI', cell: (item) => String(item.vni) },
    { header: 'MODE', cell: (item) => item.mode },
    { header: 'NODES', cell: (item) => formatCount(item.nodes.length) },
    { header: 'PORTS', cell: (item) => formatCount(item.ports) },
    { header: 'MACS', cell: (item) => formatCount(item.macs) },
    { header: 'MTU', cell: (item) => String(item.mtu) },
    { header: 'TOPOLOGY', cell: (item) => item.topology },
    { header: 'FLOOD', cell: (item) => item.group ?? item.flood, wide: true },
    { header: 'LEARNING', cell: (item) => item.learning, wide: true },
    { header: 'ARP', cell: (item) => item.arp, wide: true },
    { header: 'AGEING', cell: (item) => formatAge(item.mac_ageing_s), wide: true },
    { header: 'MAC-LIMIT', cell: (item) => limitText(item.mac_limit), wide: true },
    { header: 'BUM-LIMIT', cell: (item) => limitText(item.bum_limit, '/s'), wide: true },
    { header: 'RA-GUARD', cell: (item) => (item.ra_guard ? 'on' : 'off'), wide: true },
    { header: 'FAST-PATH', cell: (item) => item.fast_path, wide: true },
    { header: 'REMOTES', cell: (item) => orDash(item.remotes.join(',')), wide: true },
  ],
}

const ports: View<PortItem> = {
  name: (item) => `${item.node}/${item.interface}`,
  columns: [
    { header: 'NODE', cell: (item) => item.node },
    { header: 'INTERFACE', cell: (item) => item.interface },
    { header: 'NETWORK', cell: (item) => item.network },
    { header: 'VNI', cell: (item) => String(item.vni) },
    { header: 'STATE', cell: (item) => item.state },
    { header: 'MACS', cell: (item) => formatCount(item.macs) },
    { header: 'MTU', cell: (item) => orDash(item.mtu), wide: true },
    { header: 'IFINDEX', cell: (item) => orDash(item.ifindex), wide: true },
    { header: 'KIND', cell: (item) => item.kind, wide: true },
    { header: 'GUARD', cell: guardText, wide: true },
  ],
}

const macs: View<MacItem> = {
  name: (item) => `${item.network}/${item.mac}`,
  legend: 'flags: S static, M moved in the last minute, D seen in two places, E remote VTEP not ours',
  columns: [
    { header: 'NETWORK', cell: (item) => item.network },
    { header: 'VNI', cell: (item) => String(item.vni), wide: true },
    { header: 'MAC', cell: (item) => item.mac },
    { header: 'IP', cell: (item) => orDash(item.ip.join(',')) },
    { header: 'TYPE', cell: (item) => item.type },
    { header: 'WHERE', cell: whereOf },
    { header: 'VTEP', cell: (item) => orDash(item.vtep) },
    { header: 'LEARNED', cell: (item) => item.learned },
    { header: 'SEQ', cell: (item) => String(item.seq) },
    { header: 'FLAGS', cell: (item) => orDash(item.flags) },
    { header: 'AGE', cell: (item) => formatAge(item.since_s) },
  ],
}

const tunnels: View<TunnelItem> = {
  name: (item) => `${item.node}/${item.vni}/${item.remote}`,
  columns: [
    { header: 'NODE', cell: (item) => item.node },
    { header: 'PEER', cell: (item) => item.peer ?? item.remote },
    { header: 'NETWORK', cell: (item) => orDash(item.network) },
    { header: 'VNI', cell: (item) => String(item.vni) },
    { header: 'LOCAL', cell: (item) => orDash(item.local), wide: true },
    { header: 'REMOTE', cell: (item) => item.remote, wide: true },
    { header: 'TX', cell: (item) => formatBytes(item.tx_bytes) },
    { header: 'RX', cell: (item) => formatBytes(item.rx_bytes) },
    { header: 'TX/s', cell: (item) => formatBytes(item.tx_bytes_per_s) },
    { header: 'RX/s', cell: (item) => formatBytes(item.rx_bytes_per_s) },
    { header: 'TX-PACKETS', cell: (item) => formatCount(item.tx_packets), wide: true },
    { header: 'FLOODED', cell: (item) => formatCount(item.tx_flooded), wide: true },
    { header: 'RX-PACKETS', cell: (item) => formatCount(item.rx_packets), wide: true },
    { header: 'MACS', cell: (item) => formatCount(item.macs), wide: true },
    { header: 'MTU', cell: (item) => orDash(item.mtu), wide: true },
    { header: 'RTT', cell: (item) => formatMicroseconds(item.rtt_us), wide: true },
    { header: 'PATH-MTU', cell: pathText, wide: true },
  ],
}

const drops: View<DropItem> = {
  name: (item) => `${item.node}/${item.vni}/${item.program}/${item.reason}`,
  columns: [
    { header: 'NODE', cell: (item) => item.node },
    { header: 'NETWORK', cell: (item) => orDash(item.network) },
    { header: 'VNI', cell: (item) => (item.vni === 0 ? '-' : String(item.vni)) },
    { header: 'PROGRAM', cell: (item) => item.program },
    { header: 'REASON', cell: (item) => item.reason },
    { header: 'PACKETS', cell: (item) => formatCount(item.packets) },
    { header: 'PACKETS/s', cell: (item) => formatRate(item.packets_per_s) },
    { header: 'BYTES', cell: (item) => formatBytes(item.bytes), wide: true },
  ],
}

export const views: { readonly [L in ListName]: View<ItemOf<L>> } = {
  topologies,
  nodes,
  networks,
  ports,
  macs,
  tunnels,
  drops,
}

/** The arithmetic when it is too small: what the underlay carries on the way there, and what it would have to. */
function pathText({ path_state: state, path_mtu: mtu, wanted_mtu: wanted, remote }: TunnelItem): string {
  if (state === null || state === 'unknown') return '-'
  if (state === 'no_answer') return 'no answer'
  if (state !== 'too_small' || mtu === null || wanted === null) return orDash(mtu)
  const overhead = vxlanOverhead(remote as Ip)
  return `${mtu} of ${wanted}: the underlay carries ${mtu + overhead}, needs ${wanted + overhead} = ${wanted} + ${overhead}`
}

export function limitText(limit: number, unit = ''): string {
  return limit === 0 ? 'none' : `${limit}${unit}`
}

function guardText({ allowed_macs: macs, allowed_ips: ips, router }: PortItem): string {
  const allowed = [...macs, ...ips]
  const few = allowed.length > 3 ? [...allowed.slice(0, 3), `${allowed.length - 3} more`] : allowed
  return orDash([...few, ...(router ? ['router'] : [])].join(','))
}

function whereOf({ node, interface: dev }: MacItem): string {
  if (node === null) return '-'
  return dev === null ? node : `${node}/${dev}`
}

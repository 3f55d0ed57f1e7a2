import type { NetworkItem, PortItem } from '../../api/items.js'
import { renderList, renderTable } from '../output.js'
import { formatAge, formatCount, orDash } from '../quantity.js'
import { limitText, views } from '../views.js'

/** Pure. */
export function formatNetwork(network: NetworkItem, ports: readonly PortItem[]): string {
  const head = renderTable([
    ['network', network.name],
    ['topology', network.topology],
    ['VNI', String(network.vni)],
    ['mode', network.group === null ? network.mode : `${network.mode}, group ${network.group}`],
    ['flood', network.flood],
    ['learning', network.learning],
    ['ageing', formatAge(network.mac_ageing_s)],
    ['ARP and ND', network.arp],
    ['MTU', String(network.mtu)],
    ['MAC limit', limitText(network.mac_limit, ' a port')],
    ['BUM limit', limitText(network.bum_limit, '/s a port')],
    ['RA guard', network.ra_guard ? 'on' : 'off'],
    ['fast path', network.fast_path],
    ['MACs', formatCount(network.macs)],
    ['nodes', orDash(network.nodes.join(', '))],
    ['remotes', orDash(network.remotes.join(', '))],
  ])
  if (ports.length === 0) return `${head}\nports: none\n`
  const table = renderList({ revision: 0, items: ports }, views.ports, 'wide')
  return `${head}\nports\n${table.replaceAll(/^(?=.)/gm, '  ')}`
}

import type { NetworkItem, NodeDetail, PortItem } from '../../api/items.js'
import type { MacDetail } from '../../api/journal.js'
import type { ListName } from '../../api/list.js'
import type { ApiClient } from '../../common/api-client.js'
import { WeftError } from '../../common/errors.js'
import { parseMac } from '../../model/mac.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { kinds } from '../kinds.js'
import { renderList, renderTable, renderValue, type View } from '../output.js'
import { formatAge, formatCount, orDash } from '../quantity.js'
import { connect } from '../session.js'
import { views } from '../views.js'
import { formatMacDetail } from './describe-mac.js'
import { formatNetwork } from './describe-network.js'
import { lossesText } from './status.js'
import { silentLines } from './trace.js'

export interface DescribeOptions {
  readonly network?: string
}

interface Description {
  readonly value: unknown
  readonly text: string
}

type Describe = (api: ApiClient, name: string, options: DescribeOptions) => Promise<Description>

const descriptions: Readonly<Partial<Record<ListName, Describe>>> = {
  nodes: describeNode,
  networks: describeNetwork,
  macs: describeMac,
}

/** Everything about one node, network or MAC. */
export async function describe(
  ctx: CliContext,
  flags: GlobalFlags,
  kind: string,
  name: string,
  options: DescribeOptions = {},
): Promise<number> {
  refuseFormat('describe', flags, asValue)
  const known = kinds.find(({ list, singular, short }) => [list, singular, ...short].includes(kind))
  const description = known && descriptions[known.list]
  if (!description) {
    throw new WeftError('W-4001', `"${kind}" cannot be described, only a node, network or mac can`, {
      next: known ? `weft get ${known.list}` : `weft describe node ${name}`,
    })
  }
  if (options.network !== undefined && known.list !== 'macs') {
    throw new WeftError('W-4001', `--network does not select ${known.list}`)
  }
  const { value, text } = await description(connect(ctx, flags), name, options)
  const { output } = flags
  ctx.stdout.write(output === 'json' || output === 'yaml' ? renderValue(value, output) : text)
  return exitCodes.done
}

async function describeNode(api: ApiClient, name: string): Promise<Description> {
  const value = await api.request<NodeDetail>('GET', `/api/v1/nodes/${encodeURIComponent(name)}`)
  return { value, text: formatNode(value, Date.now()) }
}

async function describeMac(api: ApiClient, name: string, { network }: DescribeOptions): Promise<Description> {
  const mac = name.toLowerCase()
  if (parseMac(mac) === undefined) {
    throw new WeftError('W-4001', `"${name}" is no MAC address, as 02:00:00:01:00:09`)
  }
  const query = network === undefined ? '' : `?network=${encodeURIComponent(network)}`
  const value = await api.request<MacDetail>('GET', `/api/v1/macs/${mac}${query}`)
  return { value, text: formatMacDetail(value, Date.now()) + silentLines(value.silent ?? []) }
}

async function describeNetwork(api: ApiClient, name: string): Promise<Description> {
  const every = Number.POSITIVE_INFINITY
  const networks = await api.list<NetworkItem>('networks', { name: [name] }, every)
  const network = networks.items.find((item) => item.name === name)
  if (!network) {
    throw new WeftError('W-3007', `there is no network "${name}"`, { next: 'weft get networks' })
  }
  const ports = await api.list<PortItem>('ports', { vni: [String(network.vni)] }, every)
  const value = { ...network, port_list: ports.items }
  return { value, text: formatNetwork(network, ports.items) }
}

/** Pure. */
export function formatNode(node: NodeDetail, now: number): string {
  const heard =
    node.last_heard_at === null ? 'never' : `${formatAge((now - Date.parse(node.last_heard_at)) / 1000)} ago`
  const behind = node.applied_revision < node.sent_revision ? `, ${node.sent_revision} was sent` : ''
  const head = renderTable([
    ['node', node.name],
    ['state', node.state],
    ['underlay', node.vtep === null ? '-' : `${node.vtep} on ${node.dev}, UDP ${node.udp_port}`],
    ['revision', `${node.applied_revision} programmed${behind}`],
    ['heard', heard],
    ['daemon', node.version === null ? '-' : `${node.version}, ABI ${orDash(node.abi?.slice(0, 12))}`],
    ['tunnel MTU', orDash(node.tunnel_mtu)],
    ['lost events', [formatCount(node.events_lost), lossesText(node.losses)].filter(Boolean).join('; ')],
  ])
  return [
    head,
    section('ports', node.port_list, views.ports),
    section('programs', node.program_list, programs),
    section('maps', node.map_list, maps),
    section('tunnels', node.tunnel_list, views.tunnels),
    section('drops', node.drop_list, views.drops),
    section('failures', node.failures, failures),
  ].join('')
}

const programs: View<NodeDetail['program_list'][number]> = {
  name: (item) => item.program,
  columns: [
    { header: 'PROGRAM', cell: (item) => item.program },
    { header: 'INTERFACE', cell: (item) => item.interface },
    { header: 'DIRECTION', cell: (item) => item.direction },
    { header: 'ID', cell: (item) => String(item.id) },
    { header: 'MECHANISM', cell: (item) => item.mechanism },
  ],
}

const maps: View<NodeDetail['map_list'][number]> = {
  name: (item) => item.map,
  columns: [
    { header: 'MAP', cell: (item) => item.map },
    { header: 'ENTRIES', cell: (item) => formatCount(item.entries) },
    { header: 'MAX', cell: (item) => formatCount(item.max_entries) },
  ],
}

const failures: View<NodeDetail['failures'][number]> = {
  name: (item) => item.code,
  columns: [
    { header: 'CODE', cell: (item) => item.code },
    { header: 'WHAT', cell: (item) => item.what },
    { header: 'MESSAGE', cell: (item) => item.message },
    { header: 'NEXT', cell: (item) => orDash(item.next) },
  ],
}

function section<T>(title: string, items: readonly T[], view: View<T>): string {
  if (items.length === 0) return `\n${title}: none\n`
  const table = renderList({ revision: 0, items }, view, 'table')
  return `\n${title}\n${table.replaceAll(/^(?=.)/gm, '  ')}`
}

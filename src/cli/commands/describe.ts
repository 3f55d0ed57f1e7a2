import type { NodeDetail } from '../../api/items.js'
import { WeftError } from '../../common/errors.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { kinds } from '../kinds.js'
import { renderList, renderTable, renderValue, type View } from '../output.js'
import { formatAge, formatCount, orDash } from '../quantity.js'
import { connect } from '../session.js'
import { views } from '../views.js'
import { lossesText } from './status.js'

/** Everything about one node: its state, then what it holds, counts and could not do. */
export async function describe(
  ctx: CliContext,
  flags: GlobalFlags,
  kind: string,
  name: string,
): Promise<number> {
  refuseFormat('describe', flags, asValue)
  if (!['node', 'nodes', 'no'].includes(kind)) {
    const known = kinds.find(({ list, singular, short }) => [list, singular, ...short].includes(kind))
    throw new WeftError('W-4001', `"${kind}" cannot be described, only a node can`, {
      next: known ? `weft get ${known.list}` : `weft describe node ${name}`,
    })
  }
  const detail = await connect(ctx, flags).request<NodeDetail>(
    'GET',
    `/api/v1/nodes/${encodeURIComponent(name)}`,
  )
  if (flags.output === 'json' || flags.output === 'yaml') ctx.stdout.write(renderValue(detail, flags.output))
  else ctx.stdout.write(formatNode(detail, Date.now()))
  return exitCodes.done
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

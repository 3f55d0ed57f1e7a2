import type { Status } from '../../api/status.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderTable, renderValue } from '../output.js'
import { formatAge, formatCount, formatRate, plural } from '../quantity.js'
import { connect } from '../session.js'

/** One screen: 0 when all is well, 1 when not. */
export async function status(ctx: CliContext, flags: GlobalFlags): Promise<number> {
  refuseFormat('status', flags, asValue)
  const result = await connect(ctx, flags).request<Status>('GET', '/api/v1/status')
  if (flags.output === 'json' || flags.output === 'yaml') ctx.stdout.write(renderValue(result, flags.output))
  else ctx.stdout.write(formatStatus(result))
  return result.healthy ? exitCodes.done : exitCodes.no
}

/** Pure. */
export function formatStatus(result: Status): string {
  const { controller, store, nodes, drops } = result
  const etcd = store.available
    ? `etcd ok at ${store.endpoints.join(', ')}`
    : `etcd away: ${store.error ?? 'no answer'}`
  const rows = [
    [
      'controller',
      store.available ? 'ok' : 'degraded',
      `${controller.version}, ${etcd}, revision ${controller.revision}, up ${formatAge(controller.uptime_s)}`,
    ],
    ['nodes', `${nodes.ready} of ${nodes.total}`, nodesText(result)],
    [
      'networks',
      formatCount(result.networks),
      `in ${plural(result.topologies, 'topology', 'topologies')}, ${plural(result.macs, 'MAC')}`,
    ],
    ['tables', 'revision', tablesText(result)],
    ['drops', drops.per_minute === null ? '-' : `${formatRate(drops.per_minute)}/min`, dropsText(result)],
    ['lost events', formatCount(result.events_lost), lossesText(result.losses)],
  ]
  const problems = result.problems.map(formatProblem).join('')
  const notes = result.notes.map(({ subject, what, message }) => `${subject}  note  ${what}: ${message}\n`)
  const more = problems + notes.join('')
  return `${renderTable(rows)}${more === '' ? '' : `\n${more}`}`
}

/** What else was lost, as `copy 3, eviction 12`. */
export function lossesText(losses: Status['losses']): string {
  const kinds = Object.entries(losses).map(([kind, count]) => `${kind} ${formatCount(count)}`)
  return kinds.length === 0 ? '' : `also lost: ${kinds.join(', ')}`
}

function nodesText({ nodes }: Status): string {
  const others = nodes.not_ready.map(({ name, state }) => `${name} ${state}`)
  if (nodes.total === 0) return 'none declared'
  return others.length === 0 ? 'ready' : ['ready', ...others].join('; ')
}

function tablesText({ controller, nodes }: Status): string {
  const upToDate =
    nodes.total - nodes.behind.length - nodes.not_ready.filter(({ state }) => state === 'away').length
  const late = nodes.behind.map(({ name, applied_revision }) => `${name} at ${applied_revision}`)
  return [`${controller.revision} on ${plural(upToDate, 'node')}`, ...late].join('; ')
}

function dropsText({ drops }: Status): string {
  return drops.top
    .map(({ reason, node, per_minute }) => `${reason} ${formatRate(per_minute)} (${node})`)
    .join(', ')
}

function formatProblem(problem: Status['problems'][number]): string {
  const head = `${problem.subject}  ${problem.state}  ${problem.code}  ${problem.what}: ${problem.message}\n`
  const indent = ' '.repeat(problem.subject.length + 2)
  const more = `more: weft explain ${problem.code}`
  return `${head}${indent}${problem.next === '' ? more : `next: ${problem.next}      ${more}`}\n`
}

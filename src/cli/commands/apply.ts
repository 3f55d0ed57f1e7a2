import type { ProblemDetails } from '../../api/problem.js'
import type { ApplyResult, DiffResult } from '../../api/topology.js'
import { WeftError } from '../../common/errors.js'
import { type Change, formatChanges } from '../../topology/index.js'
import { type CheckedFile, readTopology } from '../checked-file.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderTable, renderValue } from '../output.js'
import { formatAge, plural } from '../quantity.js'
import { connect, timeoutOf } from '../session.js'

export interface ApplyOptions {
  readonly file: string
  readonly dryRun?: boolean
  /** `--wait` alone means `programmed`. */
  readonly wait?: string | true
}

/** Checks a file and makes it the desired state. */
export async function apply(ctx: CliContext, flags: GlobalFlags, options: ApplyOptions): Promise<number> {
  refuseFormat('apply', flags, asValue)
  const checked = await readTopology(ctx, options.file)
  if (!checked) return exitCodes.usage
  if (options.dryRun) return dryRun(ctx, flags, checked)

  const wait = options.wait === true ? 'programmed' : (options.wait ?? 'stored')
  if (wait !== 'stored' && wait !== 'programmed') {
    throw new WeftError('W-4001', `--wait=${wait}: give stored or programmed`)
  }
  const { result, late } = await send(ctx, flags, checked, wait)
  if (flags.output === 'json' || flags.output === 'yaml') ctx.stdout.write(renderValue(result, flags.output))
  else ctx.stdout.write(formatApply(result, wait, timeoutOf(flags), Date.now()))
  if (late) return exitCodes.timedOut
  return result.failures.length > 0 ? exitCodes.no : exitCodes.done
}

// Conflicts with other topologies are found too, which the file alone does not show.
async function dryRun(ctx: CliContext, flags: GlobalFlags, { text, desired }: CheckedFile): Promise<number> {
  const client = connect(ctx, flags)
  const path = `/api/v1/topologies/${encodeURIComponent(desired.name)}`
  await client.request('PUT', path, { body: text, query: { dry_run: 'true' } })
  const changes = await client.request<DiffResult>('POST', `${path}/diff`, { body: text })
  if (flags.output === 'json' || flags.output === 'yaml') ctx.stdout.write(renderValue(changes, flags.output))
  else
    ctx.stdout.write(
      `${formatChanges(changes.changes as Change[], changes.revision)}Dry run: nothing was written.\n`,
    )
  return exitCodes.done
}

async function send(
  ctx: CliContext,
  flags: GlobalFlags,
  { text, desired }: CheckedFile,
  wait: string,
): Promise<{ result: ApplyResult; late: boolean }> {
  const query = { wait, timeout: `${timeoutOf(flags)}ms` }
  const path = `/api/v1/topologies/${encodeURIComponent(desired.name)}`
  try {
    return {
      result: await connect(ctx, flags).request<ApplyResult>('PUT', path, { body: text, query }),
      late: false,
    }
  } catch (err) {
    const problem =
      err instanceof WeftError ? (err.details['problem'] as ProblemDetails | undefined) : undefined
    if (problem?.code !== 'W-3008' || !problem.result) throw err
    return { result: problem.result as ApplyResult, late: true }
  }
}

/** The stages with their times; what is missing when the wait ran out. Pure. */
export function formatApply(result: ApplyResult, wait: string, timeoutMs: number, now: number): string {
  const { stages, nodes } = result
  const head = `${result.name}  revision ${result.revision}${result.unchanged ? ', unchanged' : ''}\n`
  const rows = result.unchanged ? [] : [['stored', ms(stages.stored_ms), 'etcd']]
  if (wait === 'programmed') {
    if (stages.sent_ms !== null) rows.push(['sent', ms(stages.sent_ms), `to ${plural(nodes.total, 'node')}`])
    const done = nodes.total - nodes.late.length
    if (nodes.late.length === 0) {
      const slowest = nodes.slowest === null ? '' : `, slowest ${nodes.slowest}`
      rows.push(['programmed', ms(stages.programmed_ms ?? 0), `${done}/${nodes.total}${slowest}`])
    }
  }
  const failures = result.failures.map(
    (failure) => `${failure.node}  ${failure.code}  ${failure.what}: ${failure.message}\n`,
  )
  return `${head}${renderTable(rows)}${formatLate(result, timeoutMs, now)}${failures.join('')}`
}

function formatLate({ nodes }: ApplyResult, timeoutMs: number, now: number): string {
  if (nodes.late.length === 0) return ''
  const waitingFor = nodes.late.map(({ name, last_heard_at }) => {
    const heard =
      last_heard_at === null
        ? 'never heard'
        : `last heard ${formatAge((now - Date.parse(last_heard_at)) / 1000)} ago`
    return `${name} (${heard})`
  })
  const names = nodes.late.map(({ name }) => name).join(', ')
  const gets = nodes.late.length === 1 ? 'gets it when it returns' : 'get it when they return'
  return (
    `programmed  ${nodes.total - nodes.late.length}/${nodes.total} after ${timeoutMs / 1000} s; waiting for ${waitingFor.join(', ')}\n` +
    `The change is stored and ${names} ${gets}.\n`
  )
}

function ms(value: number): string {
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`
}

import type { DiffResult } from '../../api/topology.js'
import type { Change } from '../../topology/index.js'
import { formatChanges } from '../../topology/index.js'
import { readTopology } from '../checked-file.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderValue } from '../output.js'
import { connect } from '../session.js'

/** What applying a file would change: 0 nothing, 1 something. */
export async function diff(ctx: CliContext, flags: GlobalFlags, options: { file: string }): Promise<number> {
  refuseFormat('diff', flags, asValue)
  const checked = await readTopology(ctx, options.file)
  if (!checked) return exitCodes.usage
  const path = `/api/v1/topologies/${encodeURIComponent(checked.desired.name)}/diff`
  const result = await connect(ctx, flags).request<DiffResult>('POST', path, { body: checked.text })
  if (flags.output === 'json' || flags.output === 'yaml') ctx.stdout.write(renderValue(result, flags.output))
  else ctx.stdout.write(formatChanges(result.changes as Change[], result.revision))
  return result.changes.length > 0 ? exitCodes.no : exitCodes.done
}

import type { ApplyResult } from '../../api/topology.js'
import { WeftError } from '../../common/errors.js'
import { readTopology } from '../checked-file.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderValue } from '../output.js'
import { connect } from '../session.js'

/** Takes a topology out of force: by name, or by the file that was applied. */
export async function remove(
  ctx: CliContext,
  flags: GlobalFlags,
  kind: string | undefined,
  name: string | undefined,
  options: { file?: string },
): Promise<number> {
  refuseFormat('delete', flags, asValue)
  const topology = options.file ? (await readTopology(ctx, options.file))?.desired.name : nameOf(kind, name)
  if (topology === undefined) return exitCodes.usage
  const path = `/api/v1/topologies/${encodeURIComponent(topology)}`
  const result = await connect(ctx, flags).request<ApplyResult>('DELETE', path)
  if (flags.output === 'json' || flags.output === 'yaml') ctx.stdout.write(renderValue(result, flags.output))
  else ctx.stdout.write(`${topology}  removed at revision ${result.revision}\n`)
  return exitCodes.done
}

function nameOf(kind: string | undefined, name: string | undefined): string {
  if (kind !== undefined && !['topology', 'topologies', 'topo'].includes(kind)) {
    throw new WeftError(
      'W-4001',
      `"${kind}" cannot be deleted by itself: take it out of its topology and apply that`,
    )
  }
  if (name === undefined) throw new WeftError('W-4001', 'delete what? Give topology NAME, or -f FILE')
  return name
}

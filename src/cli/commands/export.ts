import type { TopologyDetail, TopologyItem } from '../../api/topology.js'
import { WeftError } from '../../common/errors.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderValue } from '../output.js'
import { connect } from '../session.js'

/** The file in force, as `apply` accepts it; the name may be left out when there is only one. */
export async function exportTopology(
  ctx: CliContext,
  flags: GlobalFlags,
  name: string | undefined,
): Promise<number> {
  refuseFormat('export', flags, asValue)
  const client = connect(ctx, flags)
  const topology = name ?? onlyName((await client.list<TopologyItem>('topologies')).items)
  const detail = await client.request<TopologyDetail>(
    'GET',
    `/api/v1/topologies/${encodeURIComponent(topology)}`,
  )
  ctx.stdout.write(
    flags.output === 'json' || flags.output === 'yaml' ? renderValue(detail, flags.output) : detail.source,
  )
  return exitCodes.done
}

function onlyName(items: readonly TopologyItem[]): string {
  const [first] = items
  if (!first) throw new WeftError('W-3007', 'no topology is in force', { next: 'weft apply -f FILE' })
  if (items.length === 1) return first.name
  const names = items.map(({ name }) => name).join(', ')
  throw new WeftError('W-4001', `which topology? There are ${names}`, { next: `weft export ${first.name}` })
}

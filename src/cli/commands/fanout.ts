import type { Fanout } from '../../api/frames.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderTable, renderValue } from '../output.js'
import { connect } from '../session.js'
import { silentLines } from './trace.js'

/** How many copies of a broadcast each port gets; exit 1 unless one each, and none back. */
export async function fanout(
  ctx: CliContext,
  flags: GlobalFlags,
  network: string,
  options: { readonly from?: string },
): Promise<number> {
  refuseFormat('fanout', flags, asValue)
  const result = await connect(ctx, flags).request<Fanout>('POST', '/api/v1/fanouts', {
    body: JSON.stringify({ network, ...options }),
    headers: { 'content-type': 'application/json' },
  })
  if (flags.output === 'json' || flags.output === 'yaml') ctx.stdout.write(renderValue(result, flags.output))
  else ctx.stdout.write(formatFanout(result))
  ctx.stderr.write(silentLines(result.silent))
  return result.exact ? exitCodes.done : exitCodes.no
}

/** Pure. */
export function formatFanout({ network, vni, from, ports, exact }: Fanout): string {
  const rows = ports.map(({ node, interface: name, copies, expected }) => [
    node,
    name,
    copies === null ? '?' : `${copies}`,
    expected === 0 ? 'sender, none' : '1',
    copies === expected ? '' : '<- wrong',
  ])
  const wrong = ports.filter(({ copies, expected }) => copies !== expected).length
  return [
    `one broadcast in ${network}/${vni} from ${from.node}/${from.interface} (${from.mac})\n\n`,
    renderTable([['NODE', 'INTERFACE', 'COPIES', 'EXPECTED', ''], ...rows]),
    exact
      ? '\nexact: one copy at each other port, none back.\n'
      : `\nnot exact: ${wrong} of ${ports.length} ports.\n`,
  ].join('')
}

import type { SilentNode, Trace, TraceEvent, TraceHop } from '../../api/frames.js'
import { WeftError } from '../../common/errors.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { refuseFormat } from '../formats.js'
import { renderTable, renderValue } from '../output.js'
import { formatMicroseconds } from '../quantity.js'
import { connect } from '../session.js'

export interface TraceOptions {
  readonly simulate?: boolean
  readonly live?: boolean
  readonly network?: string
  readonly count: string
  readonly size: string
}

/** Where a frame goes, by the tables and by probes; exit 1 when it is not delivered. */
export async function trace(
  ctx: CliContext,
  flags: GlobalFlags,
  from: string,
  to: string,
  options: TraceOptions,
): Promise<number> {
  refuseFormat('trace', flags, ['json', 'yaml', 'minimal'])
  const both = Boolean(options.simulate) === Boolean(options.live)
  const body = {
    from,
    to,
    ...(options.network !== undefined && { network: options.network }),
    mode: both ? 'both' : options.live ? 'live' : 'simulate',
    count: numberOf('--count', options.count),
    size: numberOf('--size', options.size),
  }
  const result = await connect(ctx, flags).request<Trace>('POST', '/api/v1/traces', {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  if (flags.output === 'json' || flags.output === 'yaml') ctx.stdout.write(renderValue(result, flags.output))
  else ctx.stdout.write(flags.output === 'minimal' ? minimalTrace(result) : formatTrace(result))
  ctx.stderr.write(silentLines(result.silent))
  return result.delivered ? exitCodes.done : exitCodes.no
}

/** For regression tests: what each node does with it, in one line. */
export function minimalTrace(result: Trace): string {
  const hops = result.live ? result.live.events : (result.simulated?.hops ?? [])
  const seen = hops
    .filter(({ program }) => program !== 'port_egress')
    .map((hop) => `${hop.node} ${hop.reason}`)
  const places = result.live?.delivered ?? result.simulated?.delivered ?? []
  const delivered = places.map((place) => `deliver ${place.node}/${place.interface}`)
  return `${[...seen, ...delivered].join('; ')}\n`
}

/** Pure. */
export function formatTrace(result: Trace): string {
  const { from, to, simulated, live } = result
  const ips = from.ip !== null && to.ip !== null ? `   ${from.ip} -> ${to.ip}` : ''
  const how = [simulated ? 'simulated' : '', live ? `live, ${live.probes} probes` : '']
    .filter(Boolean)
    .join(' and ')
  return [
    `trace ${result.id}   ${result.network}/${result.vni}   ${from.mac} -> ${to.mac}${ips}   ${how}\n`,
    simulated ? `\nby the tables\n${renderTable([simulatedHeader, ...simulated.hops.flatMap(hopRows)])}` : '',
    live ? `\nby probes\n${renderTable([liveHeader, ...live.events.map(eventRow)])}` : '',
    `\n${verdictOf(result)}\n`,
    ...result.differences.map((line) => `differs: ${line}\n`),
  ].join('')
}

const simulatedHeader = ['HOP', 'NODE', 'PROGRAM', 'WHERE', 'MAP', 'KEY', 'ENTRY', 'REVISION']
const liveHeader = ['HOP', 'NODE', 'PROGRAM', 'WHERE', 'EVENT', 'VTEP', 'AT', 'FRAMES']

function hopRows({ hop, node, program, where, looked_up: lookedUp, reason, next }: TraceHop): string[][] {
  const place = [`${hop}`, node, program, where]
  return [
    ...lookedUp.map((one) => [
      ...place,
      one.map,
      one.key,
      one.value || '-',
      one.revision ? `${one.revision}` : '-',
    ]),
    [...place, `=> ${reason}`, next.join(', ') || '-', '', ''],
  ]
}

function eventRow({ hop, node, program, where, reason, vtep, at_us: at, frames }: TraceEvent): string[] {
  return [
    `${hop}`,
    node,
    program,
    where,
    reason,
    vtep ?? '-',
    formatMicroseconds(Math.round(at)),
    `${frames}`,
  ]
}

function verdictOf({ delivered, live, simulated, to, differences }: Trace): string {
  const where = to.node === null ? '' : ` to ${to.node}${to.interface === null ? '' : `/${to.interface}`}`
  const revision = Math.min(...(simulated?.hops ?? []).map((hop) => hop.revision))
  const agree = differences.length === 0 ? 'agree' : 'do not agree'
  const tables = simulated && live ? ` The tables at revision ${revision} ${agree}.` : ''
  if (!live) return delivered ? `would be delivered${where}.` : notDelivered(simulated?.hops ?? [])
  if (delivered) return `delivered ${live.probes} of ${live.probes}${where}.${tables}`
  const drops = live.events.filter(({ reason }) => reason.startsWith('drop_'))
  return `not delivered${where}.${drops.map(droppedAt).join('')}${tables}`
}

function droppedAt({ hop, node, program, reason, frames }: TraceEvent): string {
  return ` Dropped at hop ${hop}, ${node}, ${program}: ${reason} (${frames}).`
}

function notDelivered(hops: readonly TraceHop[]): string {
  const last = hops.findLast(({ reason }) => reason.startsWith('drop_'))
  return last
    ? `would be dropped at hop ${last.hop}, ${last.node}, ${last.program}: ${last.reason}.`
    : 'would not be delivered: no port gets it.'
}

export function silentLines(silent: readonly SilentNode[]): string {
  return silent.map(({ node, code, message }) => `${code} ${node} did not answer: ${message}\n`).join('')
}

function numberOf(flag: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new WeftError('W-4001', `${flag} ${text}: give a number above 0`)
}

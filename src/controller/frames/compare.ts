import type { Trace } from '../../api/frames.js'
import type { Simulated } from './simulate.js'

/** The fast path's program does the work of the one behind the tunnel device. */
const roleOf = (program: string) => (program === 'underlay_ingress' ? 'tunnel_ingress' : program)

/** PURE: where the probes met something else than the tables say; a sentence for each. */
export function compareTrace(simulated: Simulated, live: NonNullable<Trace['live']>): string[] {
  return [...verdicts(simulated, live), ...deliveries(simulated, live)]
}

function verdicts({ hops, silent }: Simulated, live: NonNullable<Trace['live']>): string[] {
  const met = live.events.filter(({ program }) => program !== 'port_egress')
  const differences: string[] = []
  for (const hop of hops) {
    const here = met.filter((one) => one.node === hop.node && roleOf(one.program) === hop.program)
    const told = `the tables of ${hop.node} say ${hop.reason}`
    const reasons = here.map(({ reason, frames }) => `${reason} (${frames} of ${live.probes})`)
    if (here.length === 0) differences.push(`${told}, and no probe came to ${hop.program} there`)
    else if (here.some(({ reason }) => reason !== hop.reason)) {
      differences.push(`${told}, and the probes met ${reasons.join(', ')}`)
    } else {
      // Some may have taken the fast path and some not.
      const came = here.reduce((sum, { frames }) => sum + frames, 0)
      const count = `${came} of ${live.probes} probes came to ${hop.program} of ${hop.node}`
      if (came !== live.probes) differences.push(count)
    }
  }
  for (const { node, program, reason } of met) {
    const expected = hops.some((hop) => hop.node === node && hop.program === roleOf(program))
    if (expected || silent.some((one) => one.node === node)) continue
    differences.push(`no tables lead to ${node}, and probes met ${reason} there`)
  }
  return differences
}

function deliveries(simulated: Simulated, live: NonNullable<Trace['live']>): string[] {
  const key = (place: { node: string; interface: string }) => `${place.node}/${place.interface}`
  const told = new Set(simulated.delivered.map(key))
  const met = new Map(live.delivered.map((one) => [key(one), one.frames]))
  const missed = [...told].filter((place) => (met.get(place) ?? 0) !== live.probes)
  const strange = [...met.keys()].filter((place) => !told.has(place))
  return [
    ...missed.map(
      (place) => `${place} should get each of ${live.probes} probes once, and got ${met.get(place) ?? 0}`,
    ),
    ...strange.map((place) => `${place} should get no probe, and got ${met.get(place)}`),
  ]
}

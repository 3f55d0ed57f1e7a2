import type { LabIsolationCheck } from '../../topology/lab-spec.js'
import { run } from '../command.js'
import type { Endpoint, Finding } from './check.js'
import { hostPart, judgePairs, type Pair } from './pairs.js'

/**
 * No endpoint of one network reaches one of another. The probe is sent on the
 * device, as if the other address were on the link, so that it is segments
 * that keep them apart and not a missing route. An answered ARP request or
 * neighbour solicitation counts as reached, even when no ping comes back.
 */
export async function checkIsolation(
  { networks }: LabIsolationCheck,
  endpoints: readonly Endpoint[],
  signal: AbortSignal,
): Promise<Finding> {
  const members = endpoints.filter((endpoint) => networks.includes(endpoint.network))
  const finding = await judgePairs(foreignPairs(members), async ({ from, to, address }) => {
    const { namespace } = from
    await run(['ip', 'neigh', 'del', address, 'dev', 'eth0'], { namespace, signal })
    const argv = ['ping', '-n', '-q', '-c', '1', '-W', '0.3', '-I', 'eth0', address]
    const { code } = await run(argv, { namespace, signal })
    const { stdout } = await run(['ip', 'neigh', 'show', address, 'dev', 'eth0'], { namespace, signal })
    const answered = /lladdr (\S+)/.exec(stdout)?.[1]
    if (code !== 0 && answered === undefined) return undefined
    return answered === to.mac || answered === undefined ? 'answers' : `answers as ${answered}`
  })
  return { ok: finding.ok, detail: finding.detail.replace(' pairs', ' pairs apart') }
}

/** Pairs across networks, without addresses that the asker's own network uses too: those may answer. */
function foreignPairs(members: readonly Endpoint[]): Pair[] {
  return members.flatMap((from) => {
    const own = new Set(
      members.filter((one) => one.network === from.network).flatMap((one) => one.addresses.map(hostPart)),
    )
    return members
      .filter((to) => to.network !== from.network)
      .flatMap((to) => to.addresses.map(hostPart).map((address) => ({ from, to, address })))
      .filter(({ address }) => !own.has(address))
  })
}

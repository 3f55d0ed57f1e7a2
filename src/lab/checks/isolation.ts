import type { LabIsolationCheck } from '../../topology/lab-spec.js'
import { must, run } from '../command.js'
import type { Endpoint, Finding } from './check.js'
import { hostPart, judgePairs, type Pair } from './pairs.js'

/**
 * No endpoint of one network reaches one of another. Each has a route to the
 * other's address meanwhile, as if it were on the link, so that it is segments
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
    const at = { namespace: from.namespace, signal }
    await run(['ip', 'neigh', 'del', address, 'dev', 'eth0'], at)
    await must(['ip', 'route', 'replace', address, 'dev', 'eth0'], at)
    const { code } = await run(['ping', '-n', '-q', '-c', '1', '-W', '0.3', address], at)
    const { stdout } = await run(['ip', 'neigh', 'show', address, 'dev', 'eth0'], at)
    await must(['ip', 'route', 'del', address, 'dev', 'eth0'], at)
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

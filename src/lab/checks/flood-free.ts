import { setTimeout as sleep } from 'node:timers/promises'
import type { TunnelItem } from '../../api/items.js'
import type { LabFloodFreeCheck } from '../../topology/lab-spec.js'
import { labClient } from '../bring-up.js'
import { run } from '../command.js'
import type { LabRecord } from '../record.js'
import type { Finding } from './check.js'
import { judgePairs, pairsOf } from './pairs.js'

/** Nodes report what they counted once a second. */
const REPORTED_MS = 1_500

/**
 * Each endpoint forgets its neighbours and finds them again by ARP and ND, and
 * no node puts a flooded frame on the underlay meanwhile. What else an endpoint
 * may send to everybody in that time is counted too, so a try can fail by it.
 */
export async function checkFloodFree(
  { networks }: LabFloodFreeCheck,
  { http, endpoints }: LabRecord,
  signal: AbortSignal,
): Promise<Finding> {
  const client = labClient(http.socket, signal)
  const flooded = async () => {
    await sleep(REPORTED_MS, undefined, { signal })
    const { items } = await client.list<TunnelItem>('tunnels')
    const ours = items.filter(({ network }) => network !== null && networks.includes(network))
    return ours.reduce((sum, { tx_flooded }) => sum + tx_flooded, 0)
  }
  const pairs = networks.flatMap((network) => pairsOf(network, endpoints))
  const before = await flooded()
  const resolved = await judgePairs(pairs, async ({ from, to, address }) => {
    const at = { namespace: from.namespace, signal }
    await run(['ip', 'neigh', 'del', address, 'dev', 'eth0'], at)
    const { code } = await run(['ping', '-n', '-q', '-c', '1', '-w', '3', address], at)
    if (code !== 0) return 'no answer in 3 s'
    const { stdout } = await run(['ip', 'neigh', 'show', address, 'dev', 'eth0'], at)
    return stdout.includes(to.mac) ? undefined : 'the neighbour table has another MAC'
  })
  if (!resolved.ok) return resolved
  const frames = (await flooded()) - before
  return { ok: frames === 0, detail: `${resolved.detail} resolved, ${frames} frames flooded` }
}

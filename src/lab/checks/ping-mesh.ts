import type { LabPingMeshCheck } from '../../topology/lab-spec.js'
import { run } from '../command.js'
import type { Endpoint, Finding } from './check.js'
import { judgePairs, pairsOf } from './pairs.js'

/** Every endpoint of a network pings every other. A ping has three seconds to be answered once. */
export async function checkPingMesh(
  { networks }: LabPingMeshCheck,
  endpoints: readonly Endpoint[],
  signal: AbortSignal,
): Promise<Finding> {
  const pairs = networks.flatMap((network) => pairsOf(network, endpoints))
  return judgePairs(pairs, async ({ from, address }) => {
    const argv = ['ping', '-n', '-q', '-c', '1', '-w', '3', address]
    const { code } = await run(argv, { namespace: from.namespace, signal })
    return code === 0 ? undefined : 'no answer in 3 s'
  })
}

import type { LabMtuCheck } from '../../topology/lab-spec.js'
import { run } from '../command.js'
import type { Endpoint, Finding } from './check.js'
import { isV6, judgePairs, pairsOf } from './pairs.js'

const ICMP_HEADER = 8

/**
 * The largest packet that both ends allow passes between all pairs without
 * fragmentation, and one byte more does not leave: what the endpoints believe
 * is what the network carries.
 */
export async function checkMtu(
  { networks }: LabMtuCheck,
  endpoints: readonly Endpoint[],
  signal: AbortSignal,
): Promise<Finding> {
  const pairs = networks.flatMap((network) => pairsOf(network, endpoints))
  return judgePairs(pairs, async ({ from, to, address }) => {
    const mtu = Math.min(from.mtu, to.mtu)
    const payload = mtu - (isV6(address) ? 40 : 20) - ICMP_HEADER
    const ping = (size: number, seconds: string) =>
      run(['ping', '-n', '-q', '-M', 'do', '-c', '1', '-W', seconds, '-s', String(size), address], {
        namespace: from.namespace,
        signal,
      })
    if ((await ping(payload, '2')).code !== 0) return `${mtu} bytes do not pass`
    if ((await ping(payload + 1, '0.2')).code === 0) return `${mtu + 1} bytes pass, over the MTU of ${mtu}`
    return undefined
  })
}

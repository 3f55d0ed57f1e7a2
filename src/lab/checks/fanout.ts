import type { Fanout } from '../../api/frames.js'
import type { LabFanoutCheck } from '../../topology/lab-spec.js'
import { labClient } from '../bring-up.js'
import type { LabRecord } from '../record.js'
import type { Finding } from './check.js'

/** What `weft fanout` proves, from each port that an endpoint or a bridge with endpoints is on. */
export async function checkFanout(
  { networks }: LabFanoutCheck,
  { http, endpoints }: LabRecord,
  signal: AbortSignal,
): Promise<Finding> {
  const client = labClient(http.socket, signal)
  const senders = new Map(
    endpoints
      .filter(({ network }) => networks.includes(network))
      .map(({ network, node, bridge, interface: device }) => [`${node}/${bridge ?? device}`, network]),
  )
  const wrong: string[] = []
  for (const [from, network] of senders) {
    const { exact, ports } = await client.request<Fanout>('POST', '/api/v1/fanouts', {
      body: JSON.stringify({ network, from }),
      headers: { 'content-type': 'application/json' },
    })
    const odd = ports.filter(({ copies, expected }) => copies !== expected)
    const text = odd.map(({ node, interface: device, copies }) => `${copies ?? '?'} at ${node}/${device}`)
    if (!exact) wrong.push(`from ${from}: ${text.join(', ')}`)
  }
  const detail = `${senders.size - wrong.length}/${senders.size} senders exact`
  return { ok: senders.size > 0 && wrong.length === 0, detail: [detail, ...wrong.slice(0, 3)].join('; ') }
}

import { z } from 'zod'
import { networkDefaults } from '../../model/desired-state.js'
import { nodeSelection } from './nodes.js'
import { port } from './ports.js'
import { address, duration, integer, mac, mtu, nodeName, vni } from './scalars.js'

const staticMac = z
  .strictObject({
    mac: mac.describe('MAC address that never moves'),
    ip: address.optional().describe('Address that goes with it'),
    node: nodeName.optional().describe('Node that has the MAC behind a port'),
    remote: address.optional().describe('VTEP of `remotes` that has the MAC'),
  })
  .describe('A MAC address with a fixed place: `node` or `remote`')

const macLimit = z
  .union([z.literal('none'), integer(1, 65_536, 'MAC limit')], 'none or a number of MACs from 1 to 65536')
  .default(networkDefaults.mac_limit)
  .describe('MAC addresses that may be learned on one port')

const bumLimit = z
  .union(
    [z.literal('none'), integer(1, 10_000_000, 'BUM limit')],
    'none or a number of packets a second from 1 to 10000000',
  )
  .default(networkDefaults.bum_limit)
  .describe('Broadcast, multicast and unknown unicast packets that one port may send, a second')

const common = {
  vni: vni.describe('VXLAN network identifier, unique over all topologies'),
  mac_ageing: duration.default('300s').describe('How long a learned MAC lives without traffic'),
  arp: z
    .enum(['flood', 'suppress'])
    .default('flood')
    .describe(
      'ARP and neighbour discovery: flooded like any broadcast; suppress: answered on the node where the answer is known',
    ),
  mtu: z
    .union([z.literal('auto'), mtu], 'auto or a number of bytes')
    .default('auto')
    .describe('Largest packet inside; auto: the MTU of the underlay less 50, or 70 over IPv6'),
  mac_limit: macLimit,
  bum_limit: bumLimit,
  ra_guard: z.boolean().default(false).describe('Router advertisements only from ports with `router: true`'),
  fast_path: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('auto: known unicast goes past the VXLAN device where that is possible'),
  members: nodeSelection.optional().describe('Nodes that may have ports; all with an underlay unless given'),
  ports: z.array(port).default([]).describe('Interfaces and bridges that join the network'),
  static: z.array(staticMac).default([]).describe('MAC addresses with a fixed place'),
  remotes: z
    .array(address)
    .default([])
    .describe('VTEPs that Weft does not run, as a switch or a kernel VXLAN'),
}

const unicast = z
  .strictObject({
    mode: z.literal('unicast').describe('unicast: no multicast in the underlay'),
    flood: z
      .enum(['replicate', 'none'])
      .default('replicate')
      .describe('Broadcast, multicast and unknown unicast: one copy for each VTEP, or dropped'),
    learning: z
      .enum(['control', 'dataplane', 'static'])
      .default('control')
      .describe(
        'control: what a port learns reaches the others through the controller; ' +
          'dataplane: each node learns from the frames it gets; static: the file only',
      ),
    ...common,
  })
  .describe('A broadcast domain whose tables come from the controller')

const multicast = z
  .strictObject({
    mode: z.literal('multicast').describe('multicast: floods to a multicast group of the underlay'),
    group: address.describe('Multicast address of the underlay, as 239.1.1.1 or ff05::1'),
    learning: z
      .enum(['dataplane', 'static'])
      .default('dataplane')
      .describe('dataplane: each node learns from the frames it gets; static: the file only'),
    ...common,
  })
  .describe('A broadcast domain over a multicast group; it works without the controller')

export const network = z.discriminatedUnion('mode', [unicast, multicast])

export type Network = z.output<typeof network>

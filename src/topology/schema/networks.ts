import { z } from 'zod'
import { nodeSelection } from './nodes.js'
import { address, duration, interfaceName, mac, mtu, nodeName, vni } from './scalars.js'

const port = z.strictObject({
  node: nodeName.describe('Node that has the interface'),
  interface: interfaceName.describe('Interface that joins the network'),
})

const staticMac = z
  .strictObject({
    mac: mac.describe('MAC address that never moves'),
    ip: address.optional().describe('Address that goes with it'),
    node: nodeName.optional().describe('Node that has the MAC behind a port'),
    remote: address.optional().describe('VTEP of `remotes` that has the MAC'),
  })
  .describe('A MAC address with a fixed place: `node` or `remote`')

const unicast = z
  .strictObject({
    mode: z
      .literal('unicast')
      .describe('unicast: no multicast in the underlay, tables come from the controller'),
    vni: vni.describe('VXLAN network identifier, unique over all topologies'),
    flood: z
      .enum(['replicate', 'none'])
      .default('replicate')
      .describe('Broadcast, multicast and unknown unicast: one copy for each VTEP, or dropped'),
    learning: z
      .enum(['control', 'static'])
      .default('control')
      .describe(
        'control: what a port learns reaches the others through the controller; static: the file only',
      ),
    mac_ageing: duration.default('300s').describe('How long a learned MAC lives without traffic'),
    arp: z
      .enum(['flood'])
      .default('flood')
      .describe('ARP and neighbour discovery: flooded like any broadcast'),
    mtu: z
      .union([z.literal('auto'), mtu], 'auto or a number of bytes')
      .default('auto')
      .describe('Largest packet inside; auto: the MTU of the underlay less 50, or 70 over IPv6'),
    members: nodeSelection
      .optional()
      .describe('Nodes that may have ports; all with an underlay unless given'),
    ports: z.array(port).default([]).describe('Interfaces that join the network'),
    static: z.array(staticMac).default([]).describe('MAC addresses with a fixed place'),
    remotes: z
      .array(address)
      .default([])
      .describe('VTEPs that Weft does not run, as a switch or a kernel VXLAN'),
  })
  .describe('A broadcast domain')

export const network = z.discriminatedUnion('mode', [unicast])

export type Network = z.output<typeof network>

import { z } from 'zod'
import { cidr, integer, interfaceName, nodeName, udpPort } from './scalars.js'

const dev = interfaceName.describe('Device of the underlay network, as eth0')
const port = udpPort.default(4789).describe('UDP port of VXLAN; the same on all nodes')

export const node = z
  .strictObject({
    underlay: z
      .strictObject({
        dev,
        address: cidr.describe('Address and prefix length of the device; the address is the VTEP'),
        port,
      })
      .optional()
      .describe('Where tunnels begin and end; left out on a node that carries no network'),
  })
  .describe('A host that runs weft-node')

export const nodeSet = z
  .strictObject({
    count: integer(1, 4096, 'number of nodes in a set').describe('How many nodes'),
    underlay: z
      .strictObject({
        dev,
        subnet: cidr.describe('Subnet of the underlay addresses'),
        first: integer(0, 2 ** 31, 'offset').describe('Offset in the subnet of the first node; 100 is .100'),
        port,
      })
      .describe('Where tunnels begin and end'),
  })
  .describe('Nodes that differ by number only: <set>0, <set>1, and so on')

/** Node names, or all nodes of one set. */
export const nodeSelection = z.union(
  [
    z.array(nodeName).min(1, 'one node'),
    z.strictObject({ node_set: nodeName.describe('Name in node_sets') }),
  ],
  'a list of nodes or { node_set: NAME }',
)

export type NodeSelection = z.output<typeof nodeSelection>

import { z } from 'zod'
import { addressOrSubnet, interfaceName, mac, nodeName } from './scalars.js'

/** Bounds what one port takes of the node's guard tables. */
const MAX_GUARDED = 256

export const port = z
  .strictObject({
    node: nodeName.describe('Node that has the interface or the bridge'),
    interface: interfaceName.optional().describe('Interface that joins the network'),
    bridge: interfaceName
      .optional()
      .describe('Linux bridge of the node that joins the network, with all that is behind it'),
    macs: z
      .array(mac)
      .min(1, 'one MAC; without `macs` all may speak')
      .max(MAX_GUARDED, `${MAX_GUARDED} MACs`)
      .optional()
      .describe('The only MAC addresses that may speak here'),
    addresses: z
      .array(addressOrSubnet)
      .min(1, 'one address; without `addresses` all may be used')
      .max(MAX_GUARDED, `${MAX_GUARDED} addresses`)
      .optional()
      .describe('The only addresses, single ones or subnets, that may be used here, in ARP and ND too'),
    router: z.boolean().default(false).describe('Router advertisements may come from here; see `ra_guard`'),
  })
  .describe('What joins the network: an `interface` or a `bridge` of a node')

export type Port = z.output<typeof port>

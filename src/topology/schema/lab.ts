import { z } from 'zod'
import { nodeSelection } from './nodes.js'
import {
  cidr,
  cidr4,
  cidr6,
  duration,
  endpointName,
  integer,
  interfaceName,
  mac,
  mtu,
  name,
  nodeName,
} from './scalars.js'

const segment = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('bridge').describe('A Linux bridge that the underlay devices of its members are on'),
      members: nodeSelection.optional().describe('Nodes on it; all with an underlay unless given'),
      mtu: mtu.default(1500).describe('MTU of the underlay, bytes'),
    })
    .describe('A piece of underlay'),
])

const bridge = z
  .strictObject({
    nodes: nodeSelection.optional().describe('Nodes that have it; all with an underlay unless given'),
  })
  .describe('A Linux bridge of its own on each of some nodes, there before Weft is')

const endpoint = z
  .strictObject({
    attach: z
      .strictObject({
        node: nodeName.describe('Node it hangs on'),
        interface: interfaceName
          .optional()
          .describe(
            'Interface on the node; a port of the file, or of `network`. The name of the endpoint unless given',
          ),
        bridge: interfaceName.optional().describe('Bridge of `lab.bridges` that it is behind'),
        network: name.optional().describe('Network it joins, when no port of the file says so'),
      })
      .describe('Where it is plugged in: `interface` or `bridge`, `network`, or one with the other'),
    moves_to: z
      .array(nodeName)
      .min(1, 'one node')
      .optional()
      .describe('Nodes that `weft lab move` may move it to; a port is made for it on each'),
    mac: mac.optional().describe('MAC address; the choice of the kernel unless given'),
    address: cidr.optional().describe('Address with prefix length'),
    addresses: z.array(cidr).optional().describe('Addresses, when there are several, as IPv4 and IPv6'),
    mtu: mtu.optional().describe('MTU of its interface; that of the network unless given'),
  })
  .describe('A host of a network, made as a network namespace')

const endpointSet = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^(?:[a-z0-9.-]|\{(?:network|node|i)\})+$/,
        'a name template: letters, digits, "-", {network}, {node} and {i}, as {network}{i}',
      )
      .describe('Name of each; {network}, {node} and {i}, a number from 0, are filled in'),
    network: name.describe('Network they join'),
    per_node: integer(1, 256, 'number of endpoints on a node').default(1).describe('How many on each node'),
    nodes: nodeSelection.optional().describe('Nodes they hang on; all members of the network unless given'),
    bridge: interfaceName.optional().describe('Bridge of `lab.bridges` that they are behind'),
    subnet: cidr4.optional().describe('IPv4 subnet of their addresses'),
    subnet6: cidr6.optional().describe('IPv6 subnet of their addresses'),
    first: integer(0, 2 ** 31, 'offset')
      .default(1)
      .describe('Offset in the subnets of the first'),
    mtu: mtu.optional().describe('MTU of their interfaces; that of the network unless given'),
  })
  .describe('Endpoints that differ by number only')

const trafficEnds = {
  from: endpointName.describe('Endpoint that sends'),
  to: z.string().min(1, 'an endpoint or an address').describe('Endpoint or address that receives'),
  flows: integer(1, 64, 'number of flows').default(1).describe('How many at once'),
  every: duration.default('1s').describe('Time between packets (ping) or runs (tcp)'),
  count: integer(1, 1_000_000, 'count').optional().describe('Packets or runs; until stopped unless given'),
}

const traffic = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ping').describe('ICMP echo'),
    ...trafficEnds,
    size: integer(0, 65_400, 'ping size').default(56).describe('Payload bytes, as ping -s'),
  }),
  z.strictObject({
    kind: z.literal('tcp').describe('A TCP transfer (iperf3)'),
    ...trafficEnds,
    duration: duration.default('10s').describe('Of one run'),
  }),
])

const checkTiming = {
  name: z.string().min(1, 'a name').max(120, 'a name').optional().describe('What it proves, for the report'),
  after: duration.default('0s').describe('Wait before the first try'),
  within: duration.default('10s').describe('Try again until it passes, at most this long'),
}

const ofNetwork = { network: name.optional().describe('One network; all of the file unless given') }

const check = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ping_mesh').describe('Every endpoint reaches every other, over IPv4 and IPv6'),
    ...checkTiming,
    ...ofNetwork,
  }),
  z.strictObject({
    kind: z.literal('isolation').describe('No endpoint of one network reaches one of another'),
    ...checkTiming,
    between: z.array(name).min(2, 'two networks').describe('The networks, two or more'),
  }),
  z.strictObject({
    kind: z.literal('mtu').describe('Full-size packets pass unfragmented'),
    ...checkTiming,
    ...ofNetwork,
  }),
  z.strictObject({
    kind: z.literal('tcp').describe('A TCP transfer (iperf3) arrives'),
    ...checkTiming,
    from: endpointName.describe('Endpoint that sends'),
    to: endpointName.describe('Endpoint that receives'),
    flows: integer(1, 64, 'number of flows').default(1).describe('How many at once'),
    duration: duration.default('2s').describe('Of the transfer'),
  }),
  z.strictObject({
    kind: z
      .literal('flood_free')
      .describe('Resolving addresses by ARP and ND puts no flooded frame on the underlay'),
    ...checkTiming,
    ...ofNetwork,
  }),
  z.strictObject({
    kind: z
      .literal('fanout')
      .describe('A broadcast leaves each other port of its network exactly once, and nowhere else'),
    ...checkTiming,
    ...ofNetwork,
  }),
  z.strictObject({
    kind: z.literal('mac_move').describe('An endpoint that moved is reached by all others of its network'),
    ...checkTiming,
    within: duration.default('1s').describe('How soon after the move'),
    endpoint: endpointName.describe('Endpoint that moves'),
    to: nodeName.describe('Node it moves to; when it is there already, it moves back'),
  }),
])

export const lab = z
  .strictObject({
    segments: z
      .record(name, segment)
      .default({})
      .describe('Underlay; one bridge with all nodes unless given'),
    bridges: z
      .record(interfaceName, bridge)
      .default({})
      .describe('Linux bridges for endpoints to be behind; a port of a network may be one'),
    endpoints: z.record(endpointName, endpoint).default({}).describe('Hosts of the networks'),
    endpoint_sets: z.array(endpointSet).default([]).describe('Hosts in numbers'),
    traffic: z.array(traffic).default([]).describe('What `weft lab traffic` sends'),
    checks: z.array(check).default([]).describe('What `weft test` proves'),
  })
  .describe('Used by `weft lab` and `weft test` only; `weft apply` leaves it aside')

export type Lab = z.output<typeof lab>
export type Endpoint = z.output<typeof endpoint>
export type EndpointSet = z.output<typeof endpointSet>
export type Traffic = z.output<typeof traffic>
export type Check = z.output<typeof check>

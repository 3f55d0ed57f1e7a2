import { z } from 'zod'
import { lab } from './lab.js'
import { network } from './networks.js'
import { node, nodeSet } from './nodes.js'
import { name, nodeName } from './scalars.js'

/**
 * A topology file: the shape of each field. What one field cannot say (names
 * that must exist, values that must differ) is in `compile/`.
 */
export const topology = z
  .strictObject({
    apiVersion: z.literal('weft/v1').describe('Version of this format'),
    kind: z.literal('Topology').describe('What the file holds'),
    name: name.describe('Name of the topology; applying the same name again replaces it'),
    description: z.string().max(4096, 'a description').default('').describe('For people'),
    nodes: z.record(nodeName, node).default({}).describe('Hosts, by name'),
    node_sets: z
      .record(nodeName, nodeSet)
      .default({})
      .describe('Hosts in numbers, by the prefix of their names'),
    networks: z.record(name, network).default({}).describe('Broadcast domains, by name'),
    lab: lab.optional(),
  })
  .describe('A Weft topology')

/** A file as written, with the defaults of the schema filled in. */
export type Topology = z.output<typeof topology>

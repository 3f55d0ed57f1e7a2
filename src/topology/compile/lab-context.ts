import type { LabEndpoint } from '../lab-spec.js'
import type { Lab } from '../schema/lab.js'
import type { BridgeTable } from './lab-bridges.js'
import type { Networks } from './networks.js'
import type { CompileContext } from './nodes.js'

/** What the steps of the lab share. */
export interface LabContext extends CompileContext {
  readonly lab: Lab
  readonly networks: Networks
  /** Underlay MTU of each node, bytes. */
  readonly underlayMtu: ReadonlyMap<string, number>
}

/** Once the bridges are known too. */
export interface EndpointContext extends LabContext {
  readonly bridges: BridgeTable
}

export type Endpoints = ReadonlyMap<string, LabEndpoint>

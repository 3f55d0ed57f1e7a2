import type { NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import { mtuFailures, placePorts, portMtuFailures } from '../reconcile/placement.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { NodeStatus } from '../status.js'
import { DEVICE } from './device.js'
import type { Links } from './links.js'

/**
 * Finds the device of each port, for the drivers after it. Its MTU is left to
 * its owner: the kernel drops what is larger than the receiving end of a veth
 * before any program sees it, so a port that was made smaller would lose frames
 * uncounted that the programs drop under a name.
 */
export class PortDriver implements Driver<NodeState> {
  readonly name = 'port'

  constructor(
    private readonly node: string,
    private readonly links: Links,
    private readonly status: NodeStatus,
  ) {}

  async apply(state: NodeState): Promise<Failure[]> {
    await this.links.refresh()
    const { tunnelMtu } = this.status
    const { ports, failures } = placePorts(state, this.links.byName, {
      node: this.node,
      tunnelMtu,
      reserved: [state.assignment.underlay_dev, DEVICE, 'lo'],
    })
    this.status.ports = ports
    return [...failures, ...mtuFailures(state, tunnelMtu), ...portMtuFailures(ports, this.node)]
  }
}

import type { NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import { setLink } from '../netlink/link.js'
import { failureOf } from '../reconcile/failure.js'
import { mtuFailures, type PlacedPort, placePorts } from '../reconcile/placement.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { NodeStatus } from '../status.js'
import { DEVICE } from './device.js'
import type { Links } from './links.js'

/**
 * Finds the device of each port, for the drivers after it, and lowers its MTU to
 * what the segment carries: a device with a larger one would make frames that
 * are dropped. A smaller one is the owner's choice.
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
    failures.push(...mtuFailures(state, tunnelMtu))
    for (const port of ports) {
      const failure = await this.lowerMtu(port)
      if (failure) failures.push(failure)
    }
    return failures
  }

  private async lowerMtu(port: PlacedPort): Promise<Failure | undefined> {
    if (port.device.mtu <= port.mtu) return undefined
    try {
      await setLink({ ifindex: port.ifindex, mtu: port.mtu })
      this.links.expire()
      return undefined
    } catch (err) {
      return failureOf(err, `port ${this.node}/${port.interface}`)
    }
  }
}

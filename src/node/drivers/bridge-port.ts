import { writeFileSync } from 'node:fs'
import { WeftError } from '../../common/errors.js'
import type { AssignedPort, NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import { deleteLink, type Link, setLink } from '../netlink/link.js'
import { createVethPair } from '../netlink/veth.js'
import { type BridgePair, bridgePair, isPairEnd, pairAlias } from '../reconcile/bridge-ports.js'
import { failureOf } from '../reconcile/failure.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { NodeStatus } from '../status.js'
import type { Links } from './links.js'

/**
 * Plugs existing Linux bridges into their segments: a veth pair, one end in the
 * bridge, the other a port. The pair has the bridge's MTU, or a smaller one would
 * become the bridge's; it outlives the daemon and goes with its declaration.
 */
export class BridgePortDriver implements Driver<NodeState> {
  readonly name = 'bridge port'
  private readonly had = new Set<string>()

  constructor(
    private readonly node: string,
    private readonly links: Links,
    private readonly status: NodeStatus,
  ) {}

  async apply({ assignment }: NodeState): Promise<Failure[]> {
    await this.links.refresh()
    const declared = assignment.ports.filter(({ kind }) => kind === 'bridge')
    await this.sweep(new Set(declared.map((port) => bridgePair(this.node, port.interface).port)))
    const failures: Failure[] = []
    for (const port of declared) {
      try {
        await this.ensure(port)
      } catch (err) {
        if (!(err instanceof WeftError)) throw err
        failures.push(failureOf(err, `port ${this.node}/${port.interface}`))
      }
    }
    return failures
  }

  /** Takes all pairs away. */
  async remove(): Promise<void> {
    await this.links.refresh(true)
    await this.sweep(new Set())
  }

  private async sweep(wanted: ReadonlySet<string>): Promise<void> {
    for (const link of this.links.all) {
      if (!isPairEnd(link) || !link.name.startsWith('wp') || wanted.has(link.name)) continue
      await deleteLink(link.ifindex) // the other end goes with it
      this.had.delete(link.name)
      this.links.expire()
    }
  }

  private async ensure(declared: AssignedPort): Promise<void> {
    const bridge = this.links.byName.get(declared.interface)
    if (!bridge) return // PortDriver says so
    if (bridge.kind !== 'bridge') throw notBridge(bridge, this.node)
    const pair = bridgePair(this.node, bridge.name)
    for (const name of [pair.port, pair.plug]) {
      const link = this.links.byName.get(name)
      if (link && !isPairEnd(link)) throw foreign(link)
    }
    if (!this.links.byName.has(pair.port)) await this.make(pair, bridge)
    // What a daemon that was killed at this has not come to is done by the next one.
    if (!this.had.has(pair.port)) for (const name of [pair.port, pair.plug]) silence(name)
    await this.links.refresh()
    await this.repair(pair.port, bridge, {})
    await this.repair(pair.plug, bridge, { master: bridge.ifindex })
    this.had.add(pair.port)
  }

  private async make(pair: BridgePair, bridge: Link): Promise<void> {
    await createVethPair({ name: pair.port, peer: pair.plug, peerMac: pair.plugMac, mtu: bridge.mtu })
    if (this.had.has(pair.port)) this.status.repaired(this.name, 1)
    this.had.delete(pair.port)
    this.links.expire()
  }

  private async repair(name: string, bridge: Link, { master }: { master?: number }): Promise<void> {
    const link = this.links.byName.get(name)
    if (!link) return // gone again: its notification brings the next pass
    const change = {
      ...(link.alias !== pairAlias(bridge.name) && { alias: pairAlias(bridge.name) }),
      ...(link.mtu !== bridge.mtu && { mtu: bridge.mtu }),
      ...(master !== undefined && link.masterIfindex !== master && { master }),
      ...(!link.up && { up: true }),
    }
    if (Object.keys(change).length === 0) return
    await setLink({ ifindex: link.ifindex, ...change })
    this.links.expire()
    await this.links.refresh()
    if (this.had.has(`wp${name.slice(2)}`)) this.status.repaired(this.name, 1)
  }
}

/** The host has no business on these devices: its router solicitations would reach the bridge. */
function silence(device: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, '1')
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err // a kernel without IPv6
  }
}

function notBridge(link: Link, node: string): WeftError {
  const kind = link.kind ?? 'device'
  return new WeftError('W-2113', `${link.name} of node ${node} is a ${kind}, not a Linux bridge`, {
    next: `ip -d link show ${link.name}, or write interface: ${link.name} in place of bridge`,
  })
}

function foreign(link: Link): WeftError {
  return new WeftError('W-2112', `a ${link.kind ?? 'device'} named ${link.name} exists and is not Weft's`, {
    next: `ip link set ${link.name} name <another>, or ip link delete ${link.name}`,
  })
}

import type { NodeState } from '../../model/segment-table.js'
import type { Report, TunnelCount, VerdictCount } from '../../rpc/records.js'
import { LossKind } from '../bpf/abi.gen.js'
import type { CountMapOf, Dataplane } from '../drivers/dataplane.js'
import { countedTunnels } from '../reconcile/tables.js'
import type { NodeStatus } from '../status.js'
import { nameOf, namesOf, programName, reasonName } from './names.js'

/** Names as metrics and the API have them: `port_ingress`, `drop_unknown_vtep`. */
const losses = namesOf(LossKind, 'LOSS_')

/** What was lost beside the frames, by kind: those of `enum loss_kind`, `eviction` and `address`. */
export type Losses = ReadonlyMap<string, number>

/** Reads the programs' counters, which are the only truth about traffic, when asked. */
export class Counters implements Disposable {
  private readonly tunnels: CountMapOf<'tunnels'>
  private readonly verdicts: CountMapOf<'verdicts'>
  private readonly losses: CountMapOf<'losses'>
  private pruned: NodeState | undefined

  constructor(
    dataplane: Dataplane,
    private readonly status: NodeStatus,
  ) {
    this.tunnels = dataplane.perCpuMap('tunnels')
    this.verdicts = dataplane.perCpuMap('verdicts')
    this.losses = dataplane.perCpuMap('losses')
  }

  report(): Report {
    this.prune()
    const tunnels = this.readTunnels()
    const verdicts = this.readVerdicts()
    const losses = this.readLosses()
    return {
      tunnels,
      verdicts,
      ports: portStates(this.status),
      programs: this.status.programs,
      maps: [
        ...this.status.maps.values(),
        { map: 'tunnels', entries: tunnels.length, max_entries: this.tunnels.maxEntries },
        { map: 'verdicts', entries: verdicts.length, max_entries: this.verdicts.maxEntries },
      ],
      events_lost: losses.get('event') ?? 0,
      tunnel_mtu: this.status.tunnel?.mtu ?? 0,
      losses: [...losses].filter(([kind]) => kind !== 'event').map(([kind, count]) => ({ kind, count })),
      paths: this.status.paths,
    }
  }

  readLosses(): Losses {
    const found = this.losses
      .entriesSummed()
      .map(([{ kind }, { count }]) => [nameOf(losses, kind), count] as const)
    const none = [...losses.values()].map((name) => [name, 0] as const)
    return new Map([...none, ...found, ...this.ownLosses()])
  }

  private ownLosses(): readonly (readonly [string, number])[] {
    const evictions = [...this.status.evictions.values()].reduce((sum, count) => sum + count, 0)
    return [
      ['eviction', evictions],
      ['address', this.status.addressesLeftOut],
    ]
  }

  [Symbol.dispose](): void {
    for (const map of [this.tunnels, this.verdicts, this.losses]) map[Symbol.dispose]()
  }

  // What is counted of segments and VTEPs that have gone would fill the maps in time.
  private prune(): void {
    const { applied } = this.status
    if (!applied || applied === this.pruned) return
    this.pruned = applied
    const tunnels = new Set(countedTunnels(applied).map(({ vni, vtep }) => `${vni} ${vtep}`))
    for (const [key] of this.tunnels.entries()) {
      if (!tunnels.has(`${key.vni} ${key.vtep}`)) this.tunnels.delete(key)
    }
    for (const [key] of this.verdicts.entries()) {
      if (key.vni !== 0 && !applied.segments.has(key.vni)) this.verdicts.delete(key)
    }
  }

  private readTunnels(): TunnelCount[] {
    return this.tunnels.entriesSummed().map(([{ vni, vtep }, count]) => ({
      vni,
      vtep,
      tx_packets: count.txPackets,
      tx_bytes: count.txBytes,
      tx_flooded: count.txFlooded,
      rx_packets: count.rxPackets,
      rx_bytes: count.rxBytes,
      rx_flooded: count.rxFlooded,
      tx_fast: count.txFast,
      rx_fast: count.rxFast,
    }))
  }

  private readVerdicts(): VerdictCount[] {
    return this.verdicts.entriesSummed().map(([{ vni, program, reason }, count]) => ({
      vni,
      program: programName(program),
      reason: reasonName(reason),
      packets: count.packets,
      bytes: count.bytes,
    }))
  }
}

/** Every declared port, those without a device too. */
function portStates({ applied, ports }: NodeStatus): Report['ports'] {
  const placed = new Map(ports.map((port) => [port.interface, port]))
  return (applied?.assignment.ports ?? []).map(({ interface: name, vni }) => {
    const port = placed.get(name)
    if (!port) return { interface: name, vni, state: 'missing', mtu: 0, ifindex: 0 }
    const { device, ifindex } = port
    return { interface: name, vni, state: device.up ? 'up' : 'down', mtu: device.mtu, ifindex }
  })
}

import type { Ip } from '../../model/ip.js'
import { type Mac, parseMac } from '../../model/mac.js'
import { plainPort, plainSpec } from '../../model/segment.fixture.js'
import type { Binding, FdbEntry, NodeState, SegmentSpec, SegmentTable } from '../../model/segment-table.js'

export interface SegmentSketch {
  readonly vni: number
  readonly mtu?: number
  readonly members?: readonly string[]
  readonly learn?: boolean
  readonly flood?: boolean
  readonly ageing?: number
  readonly spec?: Partial<SegmentSpec>
  readonly bindings?: readonly (readonly [ip: string, mac: string])[]
  readonly entries?: readonly (readonly [mac: string, vtep: string, isStatic?: boolean])[]
}

/** A node at 10.0.0.1, from as little as a test needs to say. */
export function nodeState(sketch: {
  readonly ports?: readonly (readonly [string, number])[]
  readonly segments: readonly SegmentSketch[]
}): NodeState {
  return {
    revision: 1n,
    assignment: {
      underlay_dev: 'eth0',
      vtep: '10.0.0.1' as Ip,
      udp_port: 4789,
      ports: (sketch.ports ?? []).map(([name, vni]) => plainPort(name, vni)),
    },
    segments: new Map(sketch.segments.map((segment) => [segment.vni, table(segment)])),
  }
}

function table(sketch: SegmentSketch): SegmentTable {
  const entries = new Map<Mac, FdbEntry>(
    (sketch.entries ?? []).map(([mac, vtep, isStatic = false]) => [
      parseMac(mac)!,
      { vtep: vtep as Ip, static: isStatic },
    ]),
  )
  return {
    vni: sketch.vni,
    revision: 1n,
    hash: 0n,
    spec: {
      ...plainSpec,
      network: `net${sketch.vni}`,
      flood_replicate: sketch.flood ?? true,
      learn_ports: sketch.learn ?? true,
      mac_ageing_s: sketch.ageing ?? 300,
      mtu: sketch.mtu ?? 0,
      members: (sketch.members ?? ['10.0.0.1', '10.0.0.2']) as Ip[],
      ...sketch.spec,
    },
    entries,
    bindings: new Map(
      (sketch.bindings ?? []).map(([ip, mac]): [Ip, Binding] => [
        ip as Ip,
        { mac: parseMac(mac)!, router: false },
      ]),
    ),
  }
}

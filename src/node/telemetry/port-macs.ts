import type { PortKey, PortState } from '../bpf/abi.gen.js'
import type { Dataplane, MapOf } from '../drivers/dataplane.js'

/** By ifindex, how often a MAC was taken in there. */
export type TakenIn = ReadonlyMap<number, number>

/**
 * PURE: of the MACs that ports took in, how many are not in `learned` any more.
 *
 * @param before read before `learned` was: what came in meanwhile counts twice until the next audit, so
 * that a flood during an audit finds no more room than it may
 * @param present entries of `learned` by port; negative when it was inherited from another build
 */
export function countForgotten(before: TakenIn, present: ReadonlyMap<number, number>): Map<number, number> {
  const counts = new Map<number, number>()
  for (const [ifindex, taken] of before) counts.set(ifindex, taken - (present.get(ifindex) ?? 0))
  return counts
}

/** Keeps what is known of ports' MACs true: `forgotten` is the daemon's, of `port_states` it only takes the dead. */
export class PortMacs implements Disposable {
  private readonly states: MapOf<'port_states'>
  private readonly forgotten: MapOf<'forgotten'>

  constructor(dataplane: Dataplane) {
    this.states = dataplane.map('port_states')
    this.forgotten = dataplane.map('forgotten')
  }

  /** To be read before `learned` is. Ports that are none any more are dropped. */
  read(ports: ReadonlyMap<number, unknown>): TakenIn {
    const all = this.states.entries().map(rowOf)
    this.states.deleteMany(all.filter(([ifindex]) => !ports.has(ifindex)).map(([ifindex]) => ({ ifindex })))
    return new Map(all.filter(([ifindex]) => ports.has(ifindex)))
  }

  write(before: TakenIn, present: ReadonlyMap<number, number>): void {
    const counts = countForgotten(before, present)
    const written = new Map(this.forgotten.entries().map(([{ ifindex }, { macs }]) => [ifindex, macs]))
    const gone = [...written.keys()].filter((ifindex) => !counts.has(ifindex))
    this.forgotten.deleteMany(gone.map((ifindex) => ({ ifindex })))
    const changed = [...counts].filter(([ifindex, macs]) => macs !== (written.get(ifindex) ?? 0))
    this.forgotten.setMany(changed.map(([ifindex, macs]) => [{ ifindex }, { macs }] as const))
  }

  [Symbol.dispose](): void {
    this.states[Symbol.dispose]()
    this.forgotten[Symbol.dispose]()
  }
}

function rowOf([{ ifindex }, { macsLearned }]: [PortKey, PortState]): [number, number] {
  return [ifindex, macsLearned]
}

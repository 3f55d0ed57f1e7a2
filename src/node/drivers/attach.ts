import { setImmediate as turn } from 'node:timers/promises'
import { SyscallError } from '../../common/errors.js'
import type { NodeState } from '../../model/segment-table.js'
import type { Failure, ProgramState } from '../../rpc/records.js'
import { type Attachment, attach, detach, readAttachment } from '../bpf/attach.js'
import { hasTcx } from '../bpf/features.js'
import type { Direction } from '../bpf/prog-query.js'
import { programIdentity } from '../bpf/program-identity.js'
import { failureOf } from '../reconcile/failure.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { NodeStatus } from '../status.js'
import { type Dataplane, type ProgramName, programNames } from './dataplane.js'
import { DEVICE } from './device.js'
import type { Links } from './links.js'

const underlayPrograms = ['underlay_egress', 'underlay_ingress'] as const
const directions = ['ingress', 'egress'] as const

/** A program that shall run at a device. */
interface Place {
  readonly program: ProgramName
  readonly direction: Direction
  readonly ifindex: number
  readonly interface: string
}

/**
 * Takes programs from devices that are no ports any more. Runs before the tables
 * are written, so that no program sees the tables of its own port go.
 */
export class DetachDriver implements Driver<NodeState> {
  readonly name = 'detach'

  constructor(
    private readonly dataplane: Dataplane,
    private readonly links: Links,
    private readonly status: NodeStatus,
  ) {}

  async apply(_: NodeState, { resync }: { resync: boolean }): Promise<Failure[]> {
    const wanted = new Set(places(this.status).map(({ program, ifindex }) => `${program}-${ifindex}`))
    for (const { program, ifindex, pin } of this.dataplane.pinnedLinks()) {
      const direction = directionOf(program)
      if (!wanted.has(`${program}-${ifindex}`)) detach({ ifindex, direction, pin })
    }
    if (resync && !hasTcx()) this.sweepFilters(wanted)
    return []
  }

  /** Filters have no pins: our mark on the device is all there is to know them by. */
  private sweepFilters(wanted: ReadonlySet<string>): void {
    for (const { ifindex } of this.links.all) {
      for (const direction of directions) {
        const ours = programNames.filter((name) => directionOf(name) === direction)
        if (ours.some((name) => wanted.has(`${name}-${ifindex}`))) continue
        const pin = this.dataplane.linkPin(ours[0]!, ifindex)
        if (readAttachment({ ifindex, direction, pin })) detach({ ifindex, direction, pin })
      }
    }
  }
}

/**
 * Puts the programs on the ports, the VXLAN device and, for the fast path, the
 * underlay device: last of all, when every
 * table that they read is written. A program that runs there already and is the
 * same is not touched.
 */
export class AttachDriver implements Driver<NodeState> {
  readonly name = 'attach'
  private readonly attached = new Map<string, number>()
  private readonly identities = new Map<number, string>()
  private othersGone = false

  constructor(
    private readonly node: string,
    private readonly dataplane: Dataplane,
    private readonly status: NodeStatus,
  ) {}

  async apply(): Promise<Failure[]> {
    const failures: Failure[] = []
    const programs: ProgramState[] = []
    const wanted = places(this.status)
    for (const place of wanted) {
      try {
        const { programId, mechanism } = await this.ensure(place)
        programs.push({
          program: place.program,
          interface: place.interface,
          direction: place.direction,
          id: programId,
          mechanism,
        })
      } catch (err) {
        this.attached.delete(keyOf(place))
        // The device went meanwhile: that is news of the next pass.
        if (err instanceof SyscallError && err.errno === 'ENODEV') continue
        failures.push(failureOf(err, `program ${place.program} on ${this.node}/${place.interface}`))
      }
    }
    const keys = new Set(wanted.map(keyOf))
    for (const key of this.attached.keys()) if (!keys.has(key)) this.attached.delete(key)
    this.status.programs = programs
    // Another build's links have been taken over by now; what is left of it serves nobody.
    if (failures.length === 0 && !this.othersGone) {
      this.dataplane.removeOtherBuilds()
      this.othersGone = true
    }
    return failures
  }

  private async ensure(place: Place): Promise<Attachment> {
    const { program, ifindex, direction } = place
    const pin = this.dataplane.linkPin(program, ifindex)
    const hook = { ifindex, direction, pin }
    if (!this.othersGone) this.dataplane.inheritLink(program, ifindex)
    const ours = this.dataplane.program(program)
    const before = readAttachment(hook)
    const left = this.attached.get(keyOf(place))
    if (before && (before.programId === ours.id || this.isSame(before.programId, ours.id))) {
      this.attached.set(keyOf(place), before.programId)
      return before
    }
    const after = attach({ ...hook, program: ours })
    if (left !== undefined) this.status.repaired(this.name, 1)
    this.attached.set(keyOf(place), after.programId)
    await turn() // a first attachment blocks for an RCU grace period
    return after
  }

  private isSame(running: number, ours: number): boolean {
    const identity = this.identity(running)
    return identity !== undefined && identity === this.identity(ours)
  }

  private identity(programId: number): string | undefined {
    const known = this.identities.get(programId)
    if (known !== undefined) return known
    const identity = programIdentity(programId)
    if (identity !== undefined) this.identities.set(programId, identity)
    return identity
  }
}

/** Takes all our programs from all devices. */
export function detachAll(dataplane: Dataplane, links: Links): void {
  for (const { program, ifindex, pin } of dataplane.pinnedLinks()) {
    detach({ ifindex, direction: directionOf(program), pin })
  }
  for (const { ifindex } of links.all) {
    for (const direction of directions) {
      const pin = dataplane.linkPin('port_ingress', ifindex) // none is left: filters are known by their place
      if (readAttachment({ ifindex, direction, pin })) detach({ ifindex, direction, pin })
    }
  }
}

function keyOf({ program, ifindex }: Place): string {
  return `${program}-${ifindex}`
}

function directionOf(program: ProgramName): Direction {
  return program.endsWith('_egress') ? 'egress' : 'ingress'
}

function places(status: NodeStatus): Place[] {
  const { ports, tunnel, fastPath } = status
  const all = [
    ...ports.map((port) => ({ ...port, program: 'port_ingress' as const })),
    ...(tunnel ? [{ program: 'tunnel_ingress' as const, ifindex: tunnel.ifindex, interface: DEVICE }] : []),
    ...(fastPath.state === 'on' ? underlayPrograms.map((program) => ({ ...fastPath, program })) : []),
    ...(status.deliveryTaps > 0 ? ports.map((port) => ({ ...port, program: 'port_egress' as const })) : []),
  ]
  return all.map((one) => ({
    program: one.program,
    direction: directionOf(one.program),
    ifindex: one.ifindex,
    interface: one.interface,
  }))
}

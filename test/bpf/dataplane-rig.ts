import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ip } from '../../src/model/ip.js'
import type { Mac } from '../../src/model/mac.js'
import * as abi from '../../src/node/bpf/abi.gen.js'
import { attach } from '../../src/node/bpf/attach.js'
import { mountBpffs, unmountBpffs } from '../../src/node/bpf/features.js'
import { BpfObject, type BpfProgram } from '../../src/node/bpf/object.js'
import { RingReader } from '../../src/node/bpf/ring.js'
import { type TestRunContext, testRun } from '../../src/node/bpf/test-run.js'
import { learnedOnPort, plainConfig, plainPortEntry } from '../../src/node/bpf/values.fixture.js'
import { type Encapsulated, readVxlan } from './frames.js'
import { ifindexOf, ip, leaveNamespaces, makePort, makeUnderlay } from './rig-network.js'
import type { Tap } from './tap.js'

export { ifindexOf, ip, routerMac, underlayMac } from './rig-network.js'

/** What one of the two programs said of one frame. */
export interface Outcome {
  /** What it returned; `undefined` when the frame went through a device. */
  readonly action?: number
  /** Each verdict that was counted meanwhile, as `DROP_X` or `FORWARD_X`. */
  readonly verdicts: readonly CountedVerdict[]
}

export interface CountedVerdict {
  readonly vni: number
  readonly program: keyof typeof abi.ProgramId
  readonly reason: string
  readonly packets: number
  readonly bytes: number
}

export const TC_ACT_SHOT = 2
export const TC_ACT_REDIRECT = 7

/**
 * Both programs with their maps, in namespaces of this process alone: they
 * vanish with it. The network has three taps as ports, one as the underlay
 * (192.0.2.1, 2001:db8::1) and the VXLAN device between.
 */
export class DataplaneRig implements Disposable {
  readonly bpffs: string
  readonly portIngress: BpfProgram
  readonly tunnelIngress: BpfProgram
  readonly maps: ReturnType<typeof openMaps>
  readonly ports: readonly [Tap, Tap, Tap]
  readonly underlay: Tap
  readonly vxlanIfindex: number
  /** As `PROGRAM_X DROP_X`, of all frames that were observed. */
  readonly reasonsSeen = new Set<string>()
  private readonly objects: readonly [BpfObject, BpfObject]
  private readonly ring: RingReader
  private events: abi.MacEvent[] = []
  private probes: abi.ProbeEvent[] = []
  private bindings: abi.BindingEvent[] = []
  private attachments = 0

  constructor() {
    leaveNamespaces()
    this.bpffs = mkdtempSync(join(tmpdir(), 'wt-bpfc-'))
    mountBpffs(this.bpffs)
    this.objects = [loadObject('port_ingress', this.bpffs), loadObject('tunnel_ingress', this.bpffs)]
    this.portIngress = this.objects[0].program('port_ingress')
    this.tunnelIngress = this.objects[1].program('tunnel_ingress')
    this.maps = openMaps(this.objects[0], this.objects[1])
    this.ring = new RingReader(this.objects[0].mapFd('events'), (view, offset, length) => {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, length)
      const kind = view.getUint32(offset, true)
      if (kind === abi.EventKind.EVENT_PROBE) this.probes.push(abi.probeEvent.decode(bytes))
      else if (kind === abi.EventKind.EVENT_BINDING) this.bindings.push(abi.bindingEvent.decode(bytes))
      else this.events.push(abi.macEvent.decode(bytes))
    })

    this.ports = [makePort('port1'), makePort('port2', true), makePort('port3')]
    this.underlay = makeUnderlay()
    ip('link add weft-vxlan mtu 1430 type vxlan external nolearning dstport 4789 srcport 49152 65535')
    ip('link set weft-vxlan up')
    this.vxlanIfindex = ifindexOf('weft-vxlan')
    this.reset()
  }

  /** Empty tables, but for the VXLAN device. */
  reset(): void {
    const { config, ports, segments, fdb, vteps, learned, tunnels, verdicts, losses } = this.maps
    const { portStates, forgotten, allowedMacs, allowedIps, neighbors, snooped } = this.maps
    ports.deleteMany(ports.entries().map(([key]) => key))
    segments.deleteMany(segments.entries().map(([key]) => key))
    fdb.deleteMany(fdb.entries().map(([key]) => key))
    vteps.deleteMany(vteps.entries().map(([key]) => key))
    learned.deleteMany(learned.entries().map(([key]) => key))
    portStates.deleteMany(portStates.entries().map(([key]) => key))
    forgotten.deleteMany(forgotten.entries().map(([key]) => key))
    for (const map of [allowedMacs, allowedIps, neighbors, snooped]) {
      for (const [key] of map.entries()) map.delete(key as never)
    }
    for (const [key] of tunnels.entries()) tunnels.delete(key)
    for (const [key] of verdicts.entries()) verdicts.delete(key)
    for (const [key] of losses.entries()) losses.delete(key)
    config.set({ zero: 0 }, { ...plainConfig, vxlanIfindex: this.vxlanIfindex })
    for (const tap of [...this.ports, this.underlay]) tap.received()
    this.takeEvents()
    this.takeBindings()
  }

  addPort(tap: Tap, vni: number, mtu = 1450, limits: Partial<abi.PortEntry> = {}): number {
    const ifindex = ifindexOf(tap.name)
    this.maps.ports.set({ ifindex }, { ...plainPortEntry(vni, mtu), ...limits })
    return ifindex
  }

  addSegment(
    vni: number,
    members: { vteps?: string[]; ports?: number[]; flags?: number; group?: string; ageingS?: number } = {},
  ): void {
    const { vteps = [], ports = [] } = members
    const all = abi.SegmentFlag.SEGMENT_FLOOD_REPLICATE | abi.SegmentFlag.SEGMENT_LEARN_PORTS
    this.maps.segments.set(
      { vni },
      {
        flags: members.flags ?? all,
        vtepCount: vteps.length,
        portCount: ports.length,
        ageingS: members.ageingS ?? 300,
        group: (members.group ?? '::') as Ip,
        vtep: vteps as Ip[],
        port: ports,
      },
    )
    for (const vtep of vteps) this.maps.vteps.set({ vni, vtep: vtep as Ip }, { flags: 0 })
  }

  addRemote(vni: number, mac: Mac, vtep: string, flags = 0): void {
    this.maps.fdb.set({ vni, mac }, { vtep: vtep as Ip, flags, revision: 0 })
  }

  /** As if the MAC had been heard on the port. */
  addLearned(vni: number, mac: Mac, ifindex: number): void {
    this.maps.learned.set({ vni, mac }, learnedOnPort(ifindex))
  }

  /** Runs the program by BPF_PROG_TEST_RUN. Redirects are not carried out; copies are sent. */
  run(program: BpfProgram, frame: Uint8Array, ctx: TestRunContext = {}): Outcome {
    let action = 0
    const { verdicts } = this.observe(() => {
      action = testRun(program, frame, { ctx }).verdict
    })
    return { action, verdicts }
  }

  /** What was counted while `action` ran. */
  observe(action: () => void): Outcome {
    const before = new Map(this.verdicts().map((one) => [nameOf(one), one]))
    action()
    const verdicts = this.verdicts().map((one) => {
      const old = before.get(nameOf(one))
      return { ...one, packets: one.packets - (old?.packets ?? 0), bytes: one.bytes - (old?.bytes ?? 0) }
    })
    const counted = verdicts.filter(({ packets, bytes }) => packets !== 0 || bytes !== 0)
    for (const { program, reason } of counted) this.reasonsSeen.add(`${program} ${reason}`)
    return { verdicts: counted }
  }

  verdicts(): CountedVerdict[] {
    return this.maps.verdicts.entriesSummed().map(([{ vni, program, reason }, count]) => ({
      vni,
      program: keyOf(abi.ProgramId, program),
      reason: keyOf(reasons, reason),
      ...count,
    }))
  }

  /** Of all verdicts. */
  countedPackets(): number {
    return this.verdicts().reduce((sum, { packets }) => sum + packets, 0)
  }

  /** What left by tunnels since the last call. The host's own packets are not of interest. */
  encapsulated(): Encapsulated[] {
    return this.underlay
      .received()
      .map(readVxlan)
      .filter((packet) => packet !== undefined)
  }

  /** MAC events since the last call. */
  takeEvents(): abi.MacEvent[] {
    this.ring.drain()
    const taken = this.events
    this.events = []
    return taken
  }

  /** Probes that came in since the last call. */
  takeProbes(): abi.ProbeEvent[] {
    this.ring.drain()
    const taken = this.probes
    this.probes = []
    return taken
  }

  /** What ARP and ND bound on ports since the last call. */
  takeBindings(): abi.BindingEvent[] {
    this.ring.drain()
    const taken = this.bindings
    this.bindings = []
    return taken
  }

  losses(kind: number): number {
    return this.maps.losses.getSummed({ kind })?.count ?? 0
  }

  /** Puts the program at tc ingress of a device, for frames through the real stack. */
  attach(program: BpfProgram, device: string, direction: 'ingress' | 'egress' = 'ingress'): void {
    const pin = join(this.bpffs, `link-${++this.attachments}`)
    attach({ program, ifindex: ifindexOf(device), direction, pin })
  }

  [Symbol.dispose](): void {
    this.ring[Symbol.dispose]()
    for (const map of Object.values(this.maps)) map[Symbol.dispose]()
    for (const object of this.objects) object[Symbol.dispose]()
    for (const tap of [...this.ports, this.underlay]) tap[Symbol.dispose]()
    unmountBpffs(this.bpffs)
    rmSync(this.bpffs, { recursive: true, force: true })
  }
}

/**
 * Reads until it is as it should be, or for 5 s. For what went through the VXLAN
 * device inwards: that is NAPI's work, which a busy kernel leaves to ksoftirqd.
 */
export function readUntil<T>(read: () => T, isDone: (value: T) => boolean): T {
  const deadline = performance.now() + 5000
  let value = read()
  while (!isDone(value) && performance.now() < deadline) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    value = read()
  }
  return value
}

// Two names have the value 16; a frame is dropped for a reason, not for being the first.
const { DROP_FIRST: _, ...reasons } = abi.VerdictReason

export function loadObject(
  name: string,
  pinRoot: string,
  maxEntries: Record<string, number> = {},
): BpfObject {
  const path = join(import.meta.dirname, `../../build/bpf/${name}.bpf.o`)
  const object = BpfObject.open(path, { pinRoot, maxEntries })
  object.load()
  return object
}

function openMaps(ports: BpfObject, tunnels: BpfObject) {
  return {
    config: ports.map('config', abi.maps.config),
    ports: ports.map('ports', abi.maps.ports),
    segments: ports.map('segments', abi.maps.segments),
    fdb: ports.map('fdb', abi.maps.fdb),
    vteps: tunnels.map('vteps', abi.maps.vteps),
    learned: ports.map('learned', abi.maps.learned),
    portStates: ports.map('port_states', abi.maps.port_states),
    forgotten: ports.map('forgotten', abi.maps.forgotten),
    allowedMacs: ports.map('allowed_macs', abi.maps.allowed_macs),
    neighbors: ports.map('neighbors', abi.maps.neighbors),
    snooped: ports.map('snooped', abi.maps.snooped),
    allowedIps: ports.map('allowed_ips', abi.maps.allowed_ips),
    tunnels: ports.perCpuMap('tunnels', abi.maps.tunnels),
    verdicts: ports.perCpuMap('verdicts', abi.maps.verdicts),
    losses: ports.perCpuMap('losses', abi.maps.losses),
  }
}

function keyOf<T extends Record<string, number>>(names: T, value: number): keyof T & string {
  const found = Object.keys(names).find((name) => names[name] === value)
  if (found === undefined) throw new Error(`no name for ${value}`)
  return found
}

function nameOf({ vni, program, reason }: CountedVerdict): string {
  return `${vni} ${program} ${reason}`
}

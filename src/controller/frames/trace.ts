import type { Delivery, PortPlace, Trace, TraceEvent, TraceRequest } from '../../api/frames.js'
import { formatMac } from '../../model/mac.js'
import type { Control } from '../control.js'
import type { Directory } from '../http/directory.js'
import { compareTrace } from './compare.js'
import { markedFrame } from './probe.js'
import { type Simulated, simulatePath } from './simulate.js'
import { findReceiver, findSender, type KnownMac, type Receiver, type Sender } from './station.js'
import { type NodeFrame, newMarker, type Watched, watchProbes } from './watch.js'

export interface FramesDeps {
  readonly control: Control
  readonly directory: Directory
  readonly macs: readonly KnownMac[]
  readonly signal: AbortSignal
}

/** Where a frame between two stations goes: as the tables say, and as marked probes find it. */
export async function traceFrame(deps: FramesDeps, request: TraceRequest): Promise<Trace> {
  const { directory, macs } = deps
  const sender = findSender(request.from, directory.networks, macs, request.network)
  const receiver = findReceiver(request.to, sender.network, macs)
  const simulated =
    request.mode === 'live'
      ? undefined
      : await simulatePath(deps.control, directory, { sender, receiver, size: request.size })
  const marker = newMarker()
  const watched =
    request.mode === 'simulate' ? undefined : await probe(deps, request, sender, receiver, marker)
  const live = watched && liveOf(watched, sender.node)
  const silent = [...(simulated?.silent ?? []), ...(watched?.silent ?? [])]
  return {
    id: marker.toString(16).slice(0, 4),
    network: sender.network.name,
    vni: sender.network.vni,
    from: { node: sender.node, interface: sender.interface, mac: formatMac(sender.mac), ip: sender.ip },
    to: { ...receiver, mac: formatMac(receiver.mac) },
    delivered: live
      ? isDelivered(live.delivered, live.probes, receiver, simulated)
      : simulated !== undefined && isReached(simulated.delivered, receiver),
    simulated: simulated ? { hops: [...simulated.hops], delivered: [...simulated.delivered] } : null,
    live: live ?? null,
    differences: simulated && live ? compareTrace(simulated, live) : [],
    silent: silent.filter((one, i) => silent.findIndex(({ node }) => node === one.node) === i),
  }
}

function probe(
  { control, signal }: FramesDeps,
  { count, size }: TraceRequest,
  sender: Sender,
  receiver: Receiver,
  marker: bigint,
): Promise<Watched> {
  const ends = {
    source: sender.mac,
    destination: receiver.mac,
    sourceIp: sender.ip,
    destinationIp: receiver.ip,
  }
  return watchProbes(control, {
    nodes: [...new Set([sender.node, ...sender.network.ports.map(({ node }) => node)])],
    vni: sender.network.vni,
    marker,
    from: sender,
    frame: markedFrame(ends, marker, size),
    count,
    signal,
  })
}

function liveOf({ sent, frames, lost }: Watched, first: string): NonNullable<Trace['live']> {
  return {
    probes: sent,
    events: eventsOf(frames, first),
    delivered: deliveriesOf(frames),
    lost_records: lost,
  }
}

/** PURE: what each program did, in the order of the first probe. */
function eventsOf(frames: readonly NodeFrame[], first: string): TraceEvent[] {
  const start = frames.map(({ at_ns: at }) => at).sort((a, b) => (a < b ? -1 : 1))[0] ?? 0n
  const groups = new Map<string, NodeFrame[]>()
  for (const frame of frames) {
    const key = [frame.node, frame.program, frame.reason, frame.interface].join(' ')
    groups.set(key, [...(groups.get(key) ?? []), frame])
  }
  return [...groups.values()]
    .map((group): TraceEvent => {
      const one = group.reduce((least, frame) => (frame.at_ns < least.at_ns ? frame : least))
      return {
        hop: one.node === first ? 0 : 1,
        node: one.node,
        program: one.program,
        where: one.interface,
        reason: one.reason,
        vtep: one.vtep ?? null,
        at_us: Number(one.at_ns - start) / 1000,
        frames: group.length,
      }
    })
    .sort((a, b) => a.hop - b.hop || (a.node < b.node ? -1 : Number(a.node > b.node)) || a.at_us - b.at_us)
}

export function deliveriesOf(frames: readonly NodeFrame[]): Delivery[] {
  const counts = new Map<string, Delivery>()
  for (const { node, program, interface: name } of frames) {
    if (program !== 'port_egress') continue
    const key = `${node}/${name}`
    counts.set(key, { node, interface: name, frames: (counts.get(key)?.frames ?? 0) + 1 })
  }
  return [...counts.values()]
}

function isDelivered(
  delivered: readonly Delivery[],
  probes: number,
  receiver: Receiver,
  simulated: Simulated | undefined,
): boolean {
  const whole = delivered.filter(({ frames }) => frames >= probes)
  if (!isReached(whole, receiver)) return false
  if (receiver.node !== null || !simulated) return true
  // A group's frames shall reach whom the tables name, each of them.
  return simulated.delivered.every(({ node, interface: name }) =>
    whole.some((one) => one.node === node && one.interface === name),
  )
}

function isReached(delivered: readonly PortPlace[], { node, interface: name }: Receiver): boolean {
  return delivered.some(
    (one) => (node === null || one.node === node) && (name === null || one.interface === name),
  )
}

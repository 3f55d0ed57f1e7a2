import type { PortPlace, SilentNode, TraceHop } from '../../api/frames.js'
import type { Place, SimulateAnswer } from '../../rpc/questions.js'
import type { Control } from '../control.js'
import type { Directory } from '../http/directory.js'
import type { Receiver, Sender } from './station.js'
import { silentNode } from './watch.js'

const ANSWER_MS = 2_000

export interface Simulated {
  readonly hops: readonly TraceHop[]
  readonly delivered: readonly PortPlace[]
  readonly silent: readonly SilentNode[]
}

/** Follows a frame through the tables of the nodes: the sender's, then each that it leaves for. */
export async function simulatePath(
  control: Control,
  directory: Directory,
  path: { readonly sender: Sender; readonly receiver: Receiver; readonly size: number },
): Promise<Simulated> {
  const { sender } = path
  const silent: SilentNode[] = []
  const ask = async (node: string, from: Place): Promise<SimulateAnswer | undefined> => {
    try {
      return await askHop(control, node, from, path)
    } catch (err) {
      silent.push(silentNode(node, err))
      return undefined
    }
  }
  const first = await ask(sender.node, { interface: sender.interface })
  if (!first) return { hops: [], delivered: [], silent }

  const self = directory.nodes.get(sender.node)?.underlay?.address
  const far = farNodes(first, sender, directory)
  const answers = await Promise.all(
    far.map(async (node) => ({ node, answer: self ? await ask(node, { vtep: self as never }) : undefined })),
  )
  const later = answers.flatMap(({ node, answer }) => (answer ? [{ node, answer }] : []))
  return {
    hops: [
      hopOf(0, sender.node, sender.interface, first),
      ...later.map(({ node, answer }) => hopOf(1, node, self ?? '', answer)),
    ],
    delivered: [{ node: sender.node, answer: first }, ...later].flatMap(({ node, answer }) =>
      portsOf(answer).map((name) => ({ node, interface: name })),
    ),
    silent,
  }
}

async function askHop(
  control: Control,
  node: string,
  from: Place,
  { sender, receiver, size }: { sender: Sender; receiver: Receiver; size: number },
): Promise<SimulateAnswer | undefined> {
  const macs = { source: sender.mac, destination: receiver.mac }
  const question = { kind: 'simulate', vni: sender.network.vni, from, ...macs, size } as const
  for await (const answer of control.ask(node, question, { timeoutMs: ANSWER_MS })) return answer
  return undefined
}

// A group's frames reach every other node that has a port in the network.
function farNodes({ next, group }: SimulateAnswer, sender: Sender, directory: Directory): string[] {
  const named = next.flatMap((place) => ('vtep' in place ? (directory.nodeName(place.vtep) ?? []) : []))
  const members = group ? sender.network.ports.map(({ node }) => node) : []
  return [...new Set([...named, ...members])].filter((node) => node !== sender.node)
}

function portsOf({ next }: SimulateAnswer): string[] {
  return next.flatMap((place) => ('interface' in place ? [place.interface] : []))
}

function hopOf(hop: number, node: string, where: string, answer: SimulateAnswer): TraceHop {
  const next = answer.next.map((place) => ('interface' in place ? place.interface : place.vtep))
  return {
    hop,
    node,
    program: answer.program,
    where,
    reason: answer.reason,
    looked_up: answer.looked_up.map((one) => ({ ...one, revision: Number(one.revision) })),
    next: answer.group ? [...next, answer.group] : next,
    revision: Number(answer.revision),
  }
}

import type { SilentNode } from '../../api/frames.js'
import type { MacItem } from '../../api/items.js'
import { formatMac, type Mac } from '../../model/mac.js'
import type { LearnedMac, LearnedMove } from '../../rpc/questions.js'
import type { Control } from '../control.js'
import type { Directory, PlacedNetwork } from '../http/directory.js'
import { silentNode } from './watch.js'

const ANSWER_MS = 2_000
/** Of one node and network: as many as a node keeps. */
const MOST = 65_536
const MOVED_MS = 60_000

export interface LearnedAt extends LearnedMac {
  /** Who says so. */
  readonly node: string
}

/** A move as one node saw it. */
export interface MoveAt extends LearnedMove {
  readonly node: string
}

interface NodeLearned {
  readonly macs: readonly LearnedAt[]
  readonly moves: readonly MoveAt[]
}

interface Learned {
  readonly items: readonly MacItem[]
  readonly moves: readonly MoveAt[]
  readonly silent: readonly SilentNode[]
}

/** What the programs of all nodes learned in networks whose MACs no controller keeps. */
export async function askLearned(
  control: Control,
  directory: Directory,
  wanted: (network: PlacedNetwork) => boolean = () => true,
  mac?: Mac,
): Promise<Learned> {
  const networks = directory.networks.filter((network) => network.learning === 'dataplane' && wanted(network))
  const asked = networks.flatMap(({ vni, ports }) =>
    [...new Set(ports.map(({ node }) => node))].map((node) => ({ node, vni })),
  )
  const silent = new Map<string, SilentNode>()
  const found = await Promise.all(
    asked.map(async ({ node, vni }): Promise<NodeLearned> => {
      try {
        return await askNode(control, node, vni, mac)
      } catch (err) {
        silent.set(node, silentNode(node, err))
        return { macs: [], moves: [] }
      }
    }),
  )
  const macs = found.flatMap((one) => one.macs)
  return {
    items: mergeLearned(macs, directory),
    moves: found.flatMap((one) => one.moves),
    silent: [...silent.values()],
  }
}

async function askNode(
  control: Control,
  node: string,
  vni: number,
  mac: Mac | undefined,
): Promise<NodeLearned> {
  const all = { macs: [] as LearnedAt[], moves: [] as MoveAt[] }
  const question = { kind: 'learned', vni, mac, limit: MOST } as const
  for await (const { macs, moves } of control.ask(node, question, { timeoutMs: ANSWER_MS })) {
    all.macs.push(...macs.map((one) => ({ ...one, node })))
    all.moves.push(...moves.map((one) => ({ ...one, node })))
  }
  return all
}

/**
 * PURE: one item for each MAC. Who has it on a port knows best; of several, who
 * heard it last. Two that both hear it now are marked D.
 */
export function mergeLearned(found: readonly LearnedAt[], directory: Directory): MacItem[] {
  const byMac = new Map<string, LearnedAt[]>()
  for (const one of found) {
    const key = `${one.vni} ${one.mac}`
    byMac.set(key, [...(byMac.get(key) ?? []), one])
  }
  return [...byMac.values()].map((places) => {
    const onPorts = places.filter(({ at }) => 'interface' in at)
    const newest = (onPorts.length > 0 ? onPorts : places).reduce((a, b) => (b.since_ms < a.since_ms ? b : a))
    return itemOf(newest, isContested(onPorts, newest), directory)
  })
}

// The place before keeps its entry until it ages: it is contested only if it was heard there since the move.
function isContested(onPorts: readonly LearnedAt[], newest: LearnedAt): boolean {
  return onPorts.some(({ node, seen_ms: seen }) => node !== newest.node && seen < newest.since_ms)
}

function itemOf(one: LearnedAt, contested: boolean, directory: Directory): MacItem {
  const { at } = one
  const here = 'interface' in at
  const vtep = here ? (directory.nodes.get(one.node)?.underlay?.address ?? '') : at.vtep
  const moved = one.moves > 0 && one.since_ms < MOVED_MS
  const foreign = directory.nodeName(vtep) === null
  return {
    network: directory.networkName(one.vni) ?? '',
    vni: one.vni,
    mac: formatMac(one.mac),
    ip: [],
    type: here || !foreign ? 'port' : 'remote',
    node: here ? one.node : directory.nodeName(vtep),
    interface: here ? at.interface : null,
    vtep,
    learned: 'dataplane',
    seq: one.moves,
    flags: (moved ? 'M' : '') + (contested ? 'D' : '') + (foreign ? 'E' : ''),
    since_s: Math.floor(one.since_ms / 1000),
    seen_s: Math.floor(one.seen_ms / 1000),
  }
}

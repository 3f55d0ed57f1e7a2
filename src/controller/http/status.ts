import type { Status } from '../../api/status.js'
import { version } from '../../common/version.js'
import type { NodeStatus } from '../control.js'
import { dropItems, lossesOf, nodeState } from './items.js'
import type { Observed } from './observed.js'

const TOP_DROPS = 3

/** One screen about everything: what is well in one line each, what is not with its next step. */
export function statusOf(observed: Observed, now: Date): Status {
  const { control } = observed
  const nodes = control.nodes()
  const states = nodes.map((node) => ({ name: node.name, state: nodeState(node) }))
  const notReady = states.filter(({ state }) => state !== 'ready')
  const problems = [...storeProblems(observed), ...nodes.flatMap(nodeProblems)]
  return {
    healthy: control.revision > 0n && problems.length === 0 && notReady.length === 0,
    controller: {
      version,
      revision: Number(control.revision),
      started_at: observed.startedAt.toISOString(),
      uptime_s: (now.getTime() - observed.startedAt.getTime()) / 1000,
    },
    store: {
      available: control.store.available,
      error: control.store.error ?? null,
      endpoints: [...control.store.endpoints],
    },
    topologies: control.topologies().length,
    networks: observed.directory.networks.length,
    macs: observed.macCounts.total,
    nodes: {
      total: nodes.filter(({ declared }) => declared).length,
      ready: states.length - notReady.length,
      not_ready: notReady,
      behind: nodes
        .filter((node) => node.declared && node.applied_revision < node.sent_revision)
        .map(({ name, applied_revision, sent_revision }) => ({
          name,
          applied_revision: Number(applied_revision),
          sent_revision: Number(sent_revision),
        })),
    },
    drops: dropsOf(observed, nodes),
    events_lost: nodes.reduce((sum, { report }) => sum + (report?.events_lost ?? 0), 0),
    losses: lossesOf(nodes),
    problems,
    notes: storeNotes(observed),
  }
}

function dropsOf(observed: Observed, nodes: readonly NodeStatus[]): Status['drops'] {
  const drops = nodes.flatMap((node) => dropItems(observed, node))
  const rated = drops.flatMap(({ reason, node, packets_per_s }) =>
    packets_per_s === null ? [] : [{ reason, node, per_minute: packets_per_s * 60 }],
  )
  const active = rated.filter(({ per_minute }) => per_minute > 0).sort((a, b) => b.per_minute - a.per_minute)
  const heard = nodes.some(({ report }) => report !== undefined)
  return {
    per_minute: heard ? active.reduce((sum, { per_minute }) => sum + per_minute, 0) : null,
    top: active.slice(0, TOP_DROPS),
  }
}

function storeProblems({ control }: Observed): Status['problems'] {
  const away = control.store.available
    ? []
    : [
        {
          subject: 'controller',
          state: 'degraded',
          code: 'W-3002',
          what: `etcd at ${control.store.endpoints.join(', ')}`,
          message: control.store.error ?? 'does not answer',
          next: '',
        },
      ]
  const unreadable = [...control.quarantine].map(([key, reason]) => ({
    subject: 'controller',
    state: 'degraded',
    code: 'W-3011',
    what: key,
    message: reason,
    next: 'apply the topology again',
  }))
  return [...away, ...unreadable]
}

function storeNotes({ control }: Observed): Status['notes'] {
  const count = control.unknownKeys.size
  if (count === 0) return []
  const [first] = [...control.unknownKeys].sort()
  const what = count === 1 ? `key ${first} in etcd` : `${count} keys in etcd, the first ${first}`
  const message = `unknown to this version and left alone; a newer weft-controller may have written ${count === 1 ? 'it' : 'them'}`
  return [{ subject: 'controller', what, message }]
}

function nodeProblems(node: NodeStatus): Status['problems'] {
  const state = nodeState(node)
  const subject = node.name
  const failures = node.failures.map((failure) => ({ subject, state, ...failure }))
  if (state === 'away') {
    const message =
      node.last_heard_at === undefined ? 'has never connected' : `last heard at ${node.last_heard_at}`
    return [
      { subject, state, code: 'W-3015', what: `node ${subject}`, message, next: 'start weft-node there' },
    ]
  }
  if (state === 'undeclared') {
    const message = 'connects, but no topology declares it'
    return [{ subject, state, code: 'W-3004', what: `node ${subject}`, message, next: 'weft get nodes' }]
  }
  return failures
}

import { WeftError } from '../../common/errors.js'
import type { DesiredTopology } from '../../model/desired-state.js'
import type { AnswerBody, AnswerTo, Question } from '../../rpc/questions.js'
import type { Control, MacEntry, MacRecord, NodeStatus, StoredTopology, WaitResult } from '../control.js'

/** A control plane in memory, for tests of the API where a real etcd would add nothing. */
export class MemoryControl implements Control {
  store: Control['store'] = { available: true, endpoints: ['http://127.0.0.1:2379'] }
  revision = 1n
  quarantine = new Map<string, string>()
  unknownKeys = new Set<string>()
  counters: Control['counters'] = {
    claims_refused: {} as Control['counters']['claims_refused'],
    claims_taken: 0,
    mac_moves: 0,
    watch_restarts: 0,
    relists: 0,
    missed_events: 0,
    quarantined: 0,
    snapshots_resent: 0,
    streams_evicted: 0,
  }
  stored = new Map<string, StoredTopology>()
  nodeList: NodeStatus[] = []
  macList: MacEntry[] = []
  macRecords: MacRecord[] = []
  /** What `waitProgrammed` answers; unless set, that all are done. */
  waited: WaitResult = { sent_ms: 1, programmed_ms: 2, slowest: 'host0', late: [] }
  /** What nodes answer; one that is not here is away. */
  answers = new Map<string, (question: Question) => readonly AnswerBody[]>()
  private readonly listeners = new Set<() => void>()

  topologies = () => [...this.stored.values()].sort((a, b) => a.name.localeCompare(b.name))
  nodes = () => this.nodeList
  macs = () => this.macList
  journals = () => this.macRecords
  waitProgrammed = async () => this.waited

  async apply(desired: DesiredTopology, source: string, opts: { ifMatch?: bigint; dryRun?: boolean } = {}) {
    this.checkMatch(desired.name, opts.ifMatch)
    if (opts.dryRun) return { revision: this.revision, stored_ms: 0, unchanged: false }
    this.revision += 1n
    this.stored.set(desired.name, {
      name: desired.name,
      revision: this.revision,
      applied_at: '2026-11-21T02:41:08.000Z',
      desired,
      source,
    })
    this.changed()
    return { revision: this.revision, stored_ms: 3, unchanged: false }
  }

  async remove(name: string, opts: { ifMatch?: bigint } = {}) {
    this.checkMatch(name, opts.ifMatch)
    this.stored.delete(name)
    this.revision += 1n
    this.changed()
    return { revision: this.revision, stored_ms: 1, unchanged: false }
  }

  async *ask<Q extends Question>(node: string, question: Q) {
    const answer = this.answers.get(node)
    if (!answer) throw new WeftError('W-3015', `node ${node} is not connected`)
    yield* answer(question) as readonly AnswerTo<Q>[]
  }

  onChange(listener: () => void) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  changed() {
    for (const listener of this.listeners) listener()
  }

  private checkMatch(name: string, ifMatch: bigint | undefined) {
    const revision = this.stored.get(name)?.revision
    if (ifMatch !== undefined && ifMatch !== revision) {
      throw new WeftError('W-3013', `topology "${name}" is at revision ${revision}, not ${ifMatch}`)
    }
  }
}

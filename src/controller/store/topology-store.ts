import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { WeftError } from '../../common/errors.js'
import type { DesiredTopology } from '../../model/desired-state.js'
import { checkAgainst } from '../../topology/index.js'
import type { ApplyOptions, ApplyResult } from '../control.js'
import type { StoreEvent } from '../view/records.js'
import { type PublishedTopology, TopologyFold } from '../view/topology-fold.js'
import { splitTopology } from '../view/topology-objects.js'
import {
  type Compare,
  type EtcdClient,
  MAX_TXN_BYTES,
  MAX_TXN_OPS,
  type TxnResult,
  type WriteOp,
} from './etcd-client.js'
import type { Keys } from './keys.js'

const ATTEMPTS = 8
/** Orphans of killed appliers that one transaction clears away. */
const MAX_SWEPT_EPOCHS = 16

/** What a write is decided on: all topologies at one revision. */
interface Basis {
  readonly revision: bigint
  readonly fold: TopologyFold
  /** Holds until any topology is applied or removed. */
  readonly unmoved: Compare
}

interface Plan {
  readonly epoch: string
  readonly ops: readonly WriteOp[]
  /** Goes into a new epoch before it is published; otherwise one transaction does all. */
  readonly staged: boolean
}

/**
 * Writes topologies so that a reader sees each apply whole or not at all: a
 * small one in one transaction, a large one into an epoch of its own that the
 * head then points to. Writers collide on the generation key and decide anew.
 */
export class TopologyStore {
  constructor(
    private readonly client: EtcdClient,
    private readonly keys: Keys,
  ) {}

  /** As Control.apply. */
  async apply(desired: DesiredTopology, source: string, opts: ApplyOptions = {}): Promise<ApplyResult> {
    const started = performance.now()
    const objects = splitTopology(desired, source)
    return this.decide(desired.name, opts, async (basis, current) => {
      refuseConflicts(desired, basis)
      if (current && sameObjects(current.objects, objects)) return settled(current.revision, true)
      if (opts.dryRun) return settled(current?.revision ?? basis.revision, false)
      const plan = this.plan(desired.name, objects, current)
      const result = await this.publish(desired.name, plan, objects.size, basis)
      return result.done ? stored(result.revision, started) : undefined
    })
  }

  /** As Control.remove. */
  async remove(name: string, opts: ApplyOptions = {}): Promise<ApplyResult> {
    const started = performance.now()
    return this.decide(name, opts, async (basis, current) => {
      if (!current && !basis.fold.quarantine.has(this.keys.head(name))) {
        throw new WeftError('W-3007', `topology "${name}" is not there`, { next: 'weft get topologies' })
      }
      if (opts.dryRun) return settled(current?.revision ?? basis.revision, false)
      const result = await this.client.write(
        [basis.unmoved],
        [
          { put: this.keys.generation(), value: name },
          { delete: this.keys.head(name) },
          { delete_prefix: this.keys.objects(name) },
        ],
      )
      return result.done ? stored(result.revision, started) : undefined
    })
  }

  private async decide(
    name: string,
    { ifMatch }: ApplyOptions,
    attempt: (basis: Basis, current: PublishedTopology | undefined) => Promise<ApplyResult | undefined>,
  ): Promise<ApplyResult> {
    for (let tries = 1; tries <= ATTEMPTS; tries++) {
      const basis = await this.read()
      const current = basis.fold.topologies.get(name)
      const revision = current?.revision ?? 0n
      if (ifMatch !== undefined && ifMatch !== revision) {
        const where = revision === 0n ? 'is not there' : `is at revision ${revision}`
        throw new WeftError('W-3013', `topology "${name}" ${where}, not at revision ${ifMatch}`, {
          next: 'weft diff, then apply again',
        })
      }
      const result = await attempt(basis, current)
      if (result) return result
      await sleep(Math.random() * 20 * tries)
    }
    throw new WeftError(
      'W-3003',
      `topology "${name}": others kept changing topologies; nothing was written`,
      {
        next: 'apply again',
      },
    )
  }

  private async read(): Promise<Basis> {
    const generation = this.keys.generation()
    const prefixes = [generation, this.keys.heads(), `${this.keys.prefix}object/`]
    const { revision, entries } = await this.client.list(prefixes)
    const events: StoreEvent[] = []
    let moved = 0n
    for (const entry of entries) {
      if (entry.key === generation) moved = entry.mod_revision
      const id = this.keys.parse(entry.key)
      if (id) events.push({ ...entry, id })
    }
    const fold = new TopologyFold()
    fold.apply(events)
    return { revision, fold, unmoved: { key: generation, mod_revision: moved } }
  }

  private plan(
    name: string,
    objects: ReadonlyMap<string, string>,
    current: PublishedTopology | undefined,
  ): Plan {
    const inPlace = current ? this.edits(name, current, objects) : undefined
    if (inPlace && fits(inPlace)) return { epoch: current!.head.epoch, ops: inPlace, staged: false }
    const epoch = randomBytes(6).toString('hex')
    const ops = [...objects].map(([id, value]) => ({ put: this.keys.object(name, epoch, id), value }))
    return { epoch, ops, staged: !fits(ops) }
  }

  private edits(name: string, current: PublishedTopology, objects: ReadonlyMap<string, string>): WriteOp[] {
    const key = (id: string) => this.keys.object(name, current.head.epoch, id)
    const ops: WriteOp[] = []
    for (const [id, value] of objects) {
      if (current.objects.get(id) !== value) ops.push({ put: key(id), value })
    }
    for (const id of current.objects.keys()) if (!objects.has(id)) ops.push({ delete: key(id) })
    return ops
  }

  private async publish(name: string, plan: Plan, count: number, basis: Basis): Promise<TxnResult> {
    if (plan.staged) {
      const staged = await this.stage(plan.ops, basis.unmoved)
      if (!staged.done) return this.discard(name, plan.epoch, staged)
    }
    // Only epochs seen in the basis: whoever wrote into them read an older
    // generation and cannot publish any more.
    const stale = basis.fold.epochs(name).filter((epoch) => epoch !== plan.epoch)
    const head = { epoch: plan.epoch, count, applied_at: new Date().toISOString() }
    const result = await this.client.write(
      [basis.unmoved],
      [
        ...(plan.staged ? [] : plan.ops),
        { put: this.keys.head(name), value: JSON.stringify(head) },
        { put: this.keys.generation(), value: name },
        ...stale.slice(0, MAX_SWEPT_EPOCHS).map((old) => ({ delete_prefix: this.keys.epoch(name, old) })),
      ],
    )
    return plan.staged && !result.done ? this.discard(name, plan.epoch, result) : result
  }

  private async stage(ops: readonly WriteOp[], unmoved: Compare): Promise<TxnResult> {
    let result: TxnResult = { done: true, revision: 0n }
    for (const chunk of chunks(ops)) {
      result = await this.client.write([unmoved], chunk)
      if (!result.done) return result
    }
    return result
  }

  private async discard(name: string, epoch: string, lost: TxnResult): Promise<TxnResult> {
    await this.client.write([], [{ delete_prefix: this.keys.epoch(name, epoch) }])
    return lost
  }
}

function refuseConflicts(desired: DesiredTopology, { fold }: Basis): void {
  const others = [...fold.topologies.values()].map((topology) => topology.desired)
  const findings = checkAgainst(desired, others)
  const [first] = findings
  if (!first) return
  throw new WeftError(first.code, findings.map(({ message }) => message).join('; '), {
    next: 'weft get topologies',
    details: { findings },
  })
}

function sameObjects(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([id, value]) => b.get(id) === value)
}

function settled(revision: bigint, unchanged: boolean): ApplyResult {
  return { revision, stored_ms: 0, unchanged }
}

function stored(revision: bigint, started: number): ApplyResult {
  return { revision, stored_ms: performance.now() - started, unchanged: false }
}

/** With the head, the generation and what is swept, in one transaction. */
function fits(ops: readonly WriteOp[]): boolean {
  return ops.length + 2 + MAX_SWEPT_EPOCHS <= MAX_TXN_OPS && bytesOf(ops) <= MAX_TXN_BYTES
}

function bytesOf(ops: readonly WriteOp[]): number {
  return ops.reduce((sum, op) => sum + sizeOf(op), 0)
}

function sizeOf(op: WriteOp): number {
  return 'put' in op ? op.put.length + Buffer.byteLength(op.value) : 128
}

function* chunks(ops: readonly WriteOp[]): Generator<WriteOp[]> {
  let chunk: WriteOp[] = []
  let bytes = 0
  for (const op of ops) {
    const size = sizeOf(op)
    if (chunk.length === MAX_TXN_OPS || (chunk.length > 0 && bytes + size > MAX_TXN_BYTES)) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push(op)
    bytes += size
  }
  if (chunk.length > 0) yield chunk
}

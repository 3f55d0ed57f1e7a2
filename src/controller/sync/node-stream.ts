import { isDeepStrictEqual } from 'node:util'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { WeftError } from '../../common/errors.js'
import type { NodeAssignment } from '../../model/segment-table.js'
import type { Asking, Hello } from '../../rpc/records.js'
import { toStatus } from '../../rpc/status.js'
import { encodeChange } from '../../rpc/wire.js'
import type { ClusterView } from '../view/cluster-view.js'
import { nothingAssigned } from '../view/projection.js'
import type { Held } from '../view/vni-table.js'
import { encodedUpdate } from './encoded.js'
import { OpenQuestions } from './open-questions.js'

export type SyncCall = ServerDuplexStream<Buffer, Buffer>

/**
 * What one node has been sent, and what it still needs. Data is never queued for
 * it: while the stream is blocked only the VNIs that changed are noted, and when
 * it drains they are sent as they are then.
 */
export class NodeStream {
  /** Everything up to it is on the stream. */
  sentRevision = 0n
  /** Since when the node has not read; `undefined`: it does. */
  blockedSince: number | undefined
  readonly questions: OpenQuestions
  private readonly held = new Map<number, Held>()
  /** VNIs that this stream has spoken of: an answer is due for the others, even `unchanged`. */
  private readonly introduced = new Set<number>()
  private readonly dirty = new Set<number>()
  private assignment: NodeAssignment | undefined
  private syncDue = true
  private ended = false

  constructor(
    readonly call: SyncCall,
    readonly hello: Hello,
    private readonly view: ClusterView,
    private readonly opts: { sent: () => void },
  ) {
    this.questions = new OpenQuestions(hello.node, (asking) => this.ask(asking))
    for (const { vni, revision, hash } of hello.held) {
      this.held.set(vni, { revision, hash })
      this.dirty.add(vni)
    }
    for (const vni of this.interest()) this.dirty.add(vni)
    call.on('drain', () => this.unblock())
  }

  get live(): boolean {
    return !this.ended
  }

  interest(): ReadonlySet<number> {
    return this.view.nodes.get(this.hello.node)?.vnis ?? new Set()
  }

  /** Notes that a segment changed. True when this node has to do with it. */
  touch(vni: number): boolean {
    if (!this.held.has(vni) && !this.interest().has(vni)) return false
    this.dirty.add(vni)
    return true
  }

  /** Notes that topologies changed: the node's part may be another, and its revision is. */
  touchAll(): void {
    this.syncDue = true
    for (const vni of this.held.keys()) if (!this.interest().has(vni)) this.dirty.add(vni)
    for (const vni of this.interest()) if (!this.held.has(vni)) this.dirty.add(vni)
  }

  /** Revisions begin anew: all is looked at again, and said to be in sync at a revision of now. */
  startOver(): void {
    this.sentRevision = 0n
    this.touchAll()
  }

  /** The node asks for a segment whole. */
  resend(vni: number): void {
    this.held.delete(vni)
    this.introduced.delete(vni)
    this.dirty.add(vni)
  }

  /** Sends what is due, as far as the node reads. */
  flush(): void {
    if (this.ended || this.blockedSince !== undefined) return
    if (this.dirty.size === 0 && !this.syncDue) return
    if (!this.sendAssignment()) return
    for (const vni of this.dirty) {
      this.dirty.delete(vni)
      if (!this.sendSegment(vni)) {
        // Its updates are on their way, but what follows has to wait.
        this.syncDue = true
        return
      }
    }
    this.syncDue = false
    this.sentRevision = this.view.revision
    this.write(encodeChange({ kind: 'in_sync', revision: this.sentRevision }))
    this.opts.sent()
  }

  /** Ends the stream with what the node's user is to read. */
  fail(error: WeftError): void {
    if (this.ended) return
    this.close()
    this.call.emit('error', toStatus(error))
  }

  close(): void {
    this.ended = true
    this.questions.close()
  }

  // Small, few and bounded in number: they need not wait for a stream that is blocked.
  private ask(asking: Asking): void {
    if (!this.ended) this.write(encodeChange(asking))
  }

  private sendAssignment(): boolean {
    const assignment = this.view.nodes.get(this.hello.node)?.assignment ?? nothingAssigned
    if (this.assignment && sameAssignment(this.assignment, assignment)) return true
    this.assignment = assignment
    this.syncDue = true
    return this.write(encodeChange({ kind: 'node', assignment }))
  }

  private sendSegment(vni: number): boolean {
    const table = this.interest().has(vni) ? this.view.tables.get(vni) : undefined
    const held = this.held.get(vni)
    if (!table) {
      this.introduced.delete(vni)
      if (!this.held.delete(vni)) return true
      return this.write(encodeChange({ kind: 'segment_remove', vni }))
    }
    const updates = table.updatesFrom(held)
    this.held.set(vni, { revision: table.revision, hash: table.hash })
    const known = this.introduced.has(vni)
    this.introduced.add(vni)
    let writable = true
    for (const update of updates) {
      if (known && update.kind === 'unchanged') continue
      this.syncDue = true
      writable = this.write(encodedUpdate(update))
    }
    return writable
  }

  private write(bytes: Buffer): boolean {
    const writable = this.call.write(bytes)
    if (!writable) this.blockedSince ??= performance.now()
    return writable
  }

  private unblock(): void {
    this.blockedSince = undefined
    this.flush()
  }
}

function sameAssignment(a: NodeAssignment, b: NodeAssignment): boolean {
  return a === b || isDeepStrictEqual(a, b)
}

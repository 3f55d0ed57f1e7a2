import { WeftError } from '../../common/errors.js'
import type { Logger } from '../../common/logger.js'
import { version } from '../../common/version.js'
import type { AnswerTo, Question } from '../../rpc/questions.js'
import { type Claims, type Hello, type NodeReport, PROTOCOL_VERSION } from '../../rpc/records.js'
import { toStatus } from '../../rpc/status.js'
import { decodeReport } from '../../rpc/wire.js'
import type { NodeStatus } from '../control.js'
import type { ClusterView, ViewChange } from '../view/cluster-view.js'
import { FlushTimer } from './flush-timer.js'
import { NodeRecord } from './node-record.js'
import { NodeStream, type SyncCall } from './node-stream.js'
import { type AskOptions, awayError } from './open-questions.js'

/** A stream that is open and says nothing is no node. */
const HELLO_MS = 10_000
/** A node that does not read for so long has to start over. */
const STALLED_MS = 30_000
/** Names that ask and are in no topology: an unauthenticated caller can make up any number. */
const MAX_STRANGERS = 1_000

export interface NodeHubOptions {
  readonly view: ClusterView
  /** Why there is no view yet; `undefined`: there is. */
  readonly unready: () => WeftError | undefined
  readonly claims: (node: string, claims: Claims) => void
  /** Something of a node changed. */
  readonly changed: () => void
  readonly log: Logger
}

/** All node streams of this controller. */
export class NodeHub {
  readonly counters = { snapshots_resent: 0, streams_evicted: 0 }
  private readonly records = new Map<string, NodeRecord>()
  private readonly open = new Set<NodeStream>()
  private readonly timer = new FlushTimer(() => this.flush())
  private readonly sweep = setInterval(() => this.evictStalled(), STALLED_MS / 6).unref()

  constructor(private readonly options: NodeHubOptions) {}

  /** Serves one call of NodeSyncService.Sync. */
  accept(call: SyncCall): void {
    let stream: NodeStream | undefined
    // What the node had said already still comes after the call's end.
    let over = false
    const refuse = (error: WeftError) => {
      over = true
      call.emit('error', toStatus(error))
    }
    const silent = setTimeout(() => refuse(protocolError('no hello came')), HELLO_MS)
    call.on('error', () => undefined) // its end follows as `close` or `cancelled`
    call.on('data', (bytes: Buffer) => {
      if (over) return
      try {
        const report = decodeReport(bytes)
        if (stream) this.heard(stream, report)
        else if (report.kind === 'hello') stream = this.greet(call, report.hello, report.protocol)
        else throw protocolError(`the first request is hello, not ${report.kind}`)
      } catch (err) {
        const error = WeftError.from(err)
        if (stream) stream.fail(error)
        else refuse(error)
      }
      clearTimeout(silent)
    })
    const ended = () => {
      over = true
      clearTimeout(silent)
      if (stream) this.leave(stream)
    }
    call.on('cancelled', ended)
    call.on('close', ended)
    call.on('end', () => {
      ended()
      call.end()
    })
  }

  /** Tells the streams what changed in the view. */
  changed(change: ViewChange): void {
    let due = change.topologies
    for (const stream of this.open) {
      if (change.topologies) stream.touchAll()
      for (const vni of change.vnis) due = stream.touch(vni) || due
    }
    if (due) this.timer.request()
  }

  /** Declared nodes, and those that ask and are not. */
  statuses(): NodeStatus[] {
    const names = new Set([...this.options.view.nodes.keys(), ...this.records.keys()])
    return [...names].sort().map((name) => this.status(name))
  }

  /** Revisions up to which a node was sent and has programmed. */
  progress(node: string): { sent: bigint; applied: bigint } {
    const record = this.records.get(node)
    return { sent: record?.stream ? record.sentRevision : 0n, applied: record?.applied ?? 0n }
  }

  /** The node's answers, as they come. @throws WeftError as OpenQuestions.ask; W-3015 when it is away */
  async *ask<Q extends Question>(
    node: string,
    question: Q,
    opts: AskOptions,
  ): AsyncGenerator<AnswerTo<Q>, void, void> {
    const stream = this.records.get(node)?.stream
    if (!stream?.live) throw awayError(node)
    yield* stream.questions.ask(question, opts)
  }

  /** etcd is another or an older one: revisions begin anew, for nodes that are away too. */
  forgetProgress(): void {
    for (const record of this.records.values()) record.forgetProgress()
    this.timer.request()
  }

  stop(): void {
    this.timer.stop()
    clearInterval(this.sweep)
  }

  private status(name: string): NodeStatus {
    const record = this.records.get(name) ?? new NodeRecord(name)
    return record.status(this.options.view.nodes.get(name))
  }

  private greet(call: SyncCall, hello: Hello, protocol: number): NodeStream {
    if (protocol !== PROTOCOL_VERSION) throw versionSkew(hello, protocol)
    const unready = this.options.unready()
    if (unready) throw unready
    const record = this.record(hello.node)
    if (!this.options.view.nodes.has(hello.node)) {
      record.heard()
      this.options.changed()
      throw new WeftError('W-3004', `no topology declares node "${hello.node}"`, {
        next: 'weft get nodes; name it under nodes: in the topology and apply that',
      })
    }
    this.replaceOrRefuse(record, hello)
    const stream = new NodeStream(call, hello, this.options.view, { sent: this.options.changed })
    record.greet(hello)
    record.stream = stream
    this.open.add(stream)
    this.options.log.info(
      { node: hello.node, version: hello.version, peer: call.getPeer() },
      'node connected',
    )
    this.options.changed()
    this.timer.request()
    return stream
  }

  private replaceOrRefuse({ name, stream }: NodeRecord, hello: Hello): void {
    if (!stream?.live) return
    const error = new WeftError(
      'W-3006',
      `node "${name}" is connected already, from ${stream.call.getPeer()}`,
      {
        next: `look for a second weft-node with the name ${name}`,
      },
    )
    if (hello.instance === '' || stream.hello.instance !== hello.instance) throw error
    stream.fail(error)
    this.leave(stream)
  }

  private heard(stream: NodeStream, report: NodeReport): void {
    const record = this.records.get(stream.hello.node)
    if (record?.stream !== stream || !stream.live) return
    record.heard()
    switch (report.kind) {
      case 'hello':
        throw protocolError('a second hello on one stream')
      case 'applied':
        record.acknowledge(report.applied)
        break
      case 'claims':
        this.options.claims(record.name, report.claims)
        return
      case 'telemetry':
        record.telemetry(report.telemetry)
        break
      case 'answer':
        stream.questions.heard(report.answer)
        return
      case 'segment_request':
        this.counters.snapshots_resent++
        stream.resend(report.vni)
        this.timer.request()
        return
    }
    this.options.changed()
  }

  private leave(stream: NodeStream): void {
    if (!this.open.delete(stream)) return
    stream.close()
    this.records.get(stream.hello.node)?.leave(stream)
    this.options.log.info({ node: stream.hello.node }, 'node left')
    this.options.changed()
  }

  private flush(): void {
    for (const stream of this.open) stream.flush()
  }

  private evictStalled(): void {
    for (const stream of this.open) {
      if (stream.blockedSince === undefined || performance.now() - stream.blockedSince < STALLED_MS) continue
      this.counters.streams_evicted++
      const { node } = stream.hello
      this.leave(stream)
      stream.fail(
        new WeftError('W-3017', `node "${node}" has not read its stream for ${STALLED_MS / 1000} s`),
      )
    }
  }

  private record(name: string): NodeRecord {
    let record = this.records.get(name)
    if (!record) {
      record = new NodeRecord(name)
      this.records.set(name, record)
      this.forgetStrangers()
    }
    return record
  }

  private forgetStrangers(): void {
    const strangers = [...this.records.keys()].filter((name) => !this.options.view.nodes.has(name))
    for (const name of strangers.slice(0, Math.max(0, strangers.length - MAX_STRANGERS))) {
      if (!this.records.get(name)?.stream) this.records.delete(name)
    }
  }
}

function protocolError(what: string): WeftError {
  return new WeftError('W-3010', what, { next: 'run the same version of weft-node and weft-controller' })
}

function versionSkew(hello: Hello, protocol: number): WeftError {
  return new WeftError(
    'W-3005',
    `node "${hello.node}" (weft-node ${hello.version}) speaks protocol version ${protocol}, ` +
      `this controller (${version}) version ${PROTOCOL_VERSION}`,
    { next: 'weft version; bring both to one release' },
  )
}

import type { Applied, Failure, Hello, Report } from '../../rpc/records.js'
import type { NodeStatus } from '../control.js'
import type { NodeView } from '../view/projection.js'
import type { NodeStream } from './node-stream.js'

/** What a controller knows of one node besides its declaration; outlives its streams. */
export class NodeRecord {
  stream: NodeStream | undefined
  applied = 0n
  private failures: readonly Failure[] = []
  private hello: Hello | undefined
  private sent = 0n
  private heardAt: number | undefined
  private report: Report | undefined
  private reportAt: number | undefined

  constructor(readonly name: string) {}

  greet(hello: Hello): void {
    this.hello = hello
    this.heard()
  }

  heard(): void {
    this.heardAt = Date.now()
  }

  acknowledge({ revision, failures }: Applied): void {
    // Not of what this stream has sent: an answer from before the revisions began anew.
    if (revision > this.sentRevision) return
    this.applied = revision
    this.failures = failures
  }

  /** Revisions begin anew: what was sent and acknowledged before says nothing about them. */
  forgetProgress(): void {
    this.applied = 0n
    this.sent = 0n
    this.stream?.startOver()
  }

  telemetry(report: Report): void {
    this.report = report
    this.reportAt = Date.now()
  }

  /** Ends its stream, if `stream` still is. */
  leave(stream: NodeStream): void {
    if (this.stream !== stream) return
    this.sent = stream.sentRevision
    this.stream = undefined
  }

  get sentRevision(): bigint {
    return this.stream?.sentRevision ?? this.sent
  }

  status(node: NodeView | undefined): NodeStatus {
    const { hello, report } = this
    return {
      name: this.name,
      declared: node !== undefined,
      ...(node ? { spec: node.spec } : {}),
      connected: this.stream !== undefined,
      sent_revision: this.sentRevision,
      applied_revision: this.applied,
      failures: this.failures,
      ...(this.heardAt === undefined ? {} : { last_heard_at: rfc3339(this.heardAt) }),
      ...(hello ? { version: hello.version, abi: hello.abi, instance: hello.instance } : {}),
      ...(report ? { report, report_at: rfc3339(this.reportAt!) } : {}),
    }
  }
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString()
}

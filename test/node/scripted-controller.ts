import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { WeftError } from '../../src/common/errors.js'
import type { Ip } from '../../src/model/ip.js'
import type { Mac } from '../../src/model/mac.js'
import { plainSpec } from '../../src/model/segment.fixture.js'
import { encodeBody } from '../../src/model/segment-body.js'
import type { FdbEntry, NodeAssignment, SegmentSpec } from '../../src/model/segment-table.js'
import { SetHash } from '../../src/model/set-hash.js'
import type { Answer, AnswerBody, Question } from '../../src/rpc/questions.js'
import type { Applied, Claims, ControllerChange, Hello, Report } from '../../src/rpc/records.js'
import { toStatus } from '../../src/rpc/status.js'
import { decodeReport, encodeChange, syncService } from '../../src/rpc/wire.js'

type Call = ServerDuplexStream<Buffer, Buffer>

export interface ScriptedSegment {
  readonly spec: SegmentSpec
  readonly entries: Map<Mac, FdbEntry>
}

/** What one node told on its newest stream. */
export interface Told {
  readonly hello: Hello
  readonly applied: Applied[]
  readonly claims: Claims[]
  readonly segmentRequests: number[]
  report: Report | undefined
}

/**
 * A controller that says what the test says, over real gRPC, and writes down
 * what it hears. It takes claims in as a real one does: they come back as entries.
 */
export class ScriptedController {
  readonly assignments = new Map<string, NodeAssignment>()
  readonly segments = new Map<number, ScriptedSegment>()
  readonly told = new Map<string, Told>()
  /** Every hello, of undeclared nodes too. */
  readonly hellos: string[] = []
  /** Called with each change before it goes out; may change it or hold it back. */
  tamper: (node: string, change: ControllerChange) => ControllerChange | undefined = (_, change) => change
  revision = 1n
  private readonly calls = new Map<string, Call>()
  private server: Server | undefined
  private readonly awaiting = new Map<number, (answer: Answer) => void>()
  private asked = 0

  constructor(readonly address: string) {}

  async start(): Promise<void> {
    const server = new Server({ 'grpc.max_receive_message_length': 4 << 20 })
    server.addService(syncService, { Sync: (call: Call) => this.serve(call) })
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(this.address, ServerCredentials.createInsecure(), (err) =>
        err ? reject(err) : resolve(),
      ),
    )
    this.server = server
  }

  /** As a crash: every stream breaks. */
  stop(): void {
    this.server?.forceShutdown()
    this.server = undefined
    this.calls.clear()
  }

  segment(vni: number, over: Partial<SegmentSpec> = {}): ScriptedSegment {
    const spec: SegmentSpec = {
      ...plainSpec,
      network: `net${vni}`,
      members: [...this.assignments.values()].map(({ vtep }) => vtep),
      ...over,
    }
    const segment = { spec, entries: this.segments.get(vni)?.entries ?? new Map<Mac, FdbEntry>() }
    this.segments.set(vni, segment)
    return segment
  }

  /** Sends every node all that is so now, as a new revision. */
  publish(): bigint {
    this.revision++
    for (const node of this.calls.keys()) this.sendAll(node)
    return this.revision
  }

  send(node: string, change: ControllerChange): void {
    const changed = this.tamper(node, change)
    if (changed) this.calls.get(node)?.write(encodeChange(changed))
  }

  /** Asks a node, until its last word. */
  ask(node: string, question: Question): Promise<AnswerBody[]> {
    const id = ++this.asked
    const bodies: AnswerBody[] = []
    return new Promise((resolve, reject) => {
      this.awaiting.set(id, ({ body, failure, last }) => {
        if (body) bodies.push(body)
        if (failure) reject(new Error(failure.message))
        else if (last) resolve(bodies)
      })
      this.send(node, { kind: 'ask', id, question })
    })
  }

  snapshot(vni: number): ControllerChange {
    const { spec, entries } = this.segments.get(vni)!
    const body = encodeBody([...entries].map(([mac, entry]) => ({ mac, entry })))
    const hash = SetHash.of(entries)
    const update = {
      vni,
      kind: 'snapshot',
      from_revision: 0n,
      to_revision: this.revision,
      hash,
      spec,
      body,
    } as const
    return { kind: 'segment', update }
  }

  private serve(call: Call): void {
    let node = ''
    call.on('error', () => {})
    call.on('end', () => call.end())
    call.on('close', () => this.calls.get(node) === call && this.calls.delete(node))
    call.on('data', (bytes: Buffer) => {
      const report = decodeReport(bytes)
      const told = this.told.get(node)
      if (report.kind === 'hello') {
        node = report.hello.node
        this.hello(call, report.hello)
      } else if (report.kind === 'answer') this.awaiting.get(report.answer.id)?.(report.answer)
      else if (report.kind === 'applied') told?.applied.push(report.applied)
      else if (report.kind === 'telemetry') told!.report = report.telemetry
      else if (report.kind === 'segment_request') {
        told?.segmentRequests.push(report.vni)
        this.send(node, this.snapshot(report.vni))
        this.send(node, { kind: 'in_sync', revision: this.revision })
      } else if (report.kind === 'claims') {
        told?.claims.push(report.claims)
        this.accept(this.assignments.get(node)!.vtep, report.claims)
      }
    })
  }

  private hello(call: Call, hello: Hello): void {
    this.hellos.push(hello.node)
    if (!this.assignments.has(hello.node)) {
      call.emit('error', toStatus(new WeftError('W-3004', `no topology declares node ${hello.node}`)))
      return
    }
    this.calls.set(hello.node, call)
    this.told.set(hello.node, { hello, applied: [], claims: [], segmentRequests: [], report: undefined })
    this.sendAll(hello.node)
  }

  private sendAll(node: string): void {
    const assignment = this.assignments.get(node)!
    this.send(node, { kind: 'node', assignment })
    for (const vni of new Set(assignment.ports.map((port) => port.vni))) {
      if (this.segments.has(vni)) this.send(node, this.snapshot(vni))
    }
    this.send(node, { kind: 'in_sync', revision: this.revision })
  }

  private accept(vtep: Ip, { complete, claims }: Claims): void {
    let changed = false
    const claimed = new Set(claims.map(({ vni, mac }) => `${vni} ${mac}`))
    for (const [vni, { entries }] of this.segments) {
      for (const [mac, entry] of entries) {
        if (!complete || entry.static || entry.vtep !== vtep || claimed.has(`${vni} ${mac}`)) continue
        entries.delete(mac)
        changed = true
      }
    }
    for (const { vni, mac, withdraw } of claims) {
      const entries = this.segments.get(vni)?.entries
      const known = entries?.get(mac)
      if (!entries || known?.static) continue
      if (withdraw && known?.vtep === vtep) changed = entries.delete(mac)
      if (withdraw || known?.vtep === vtep) continue
      entries.set(mac, { vtep, static: false })
      changed = true
    }
    if (changed) this.publish()
  }
}

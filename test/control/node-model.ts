import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { canonicalIp } from '../../src/model/ip.js'
import { parseMac } from '../../src/model/mac.js'
import type { NodeAssignment, SegmentTable } from '../../src/model/segment-table.js'
import { applySegmentUpdate } from '../../src/model/segment-update.js'
import type { ControllerChange, Hello } from '../../src/rpc/records.js'
import { openSync, type SyncStream } from '../../src/rpc/sync-client.js'

interface ClaimOptions {
  readonly withdraw?: boolean
  readonly announced?: boolean
  readonly addresses?: readonly string[]
}

/** A node without a kernel: the real stream, its tables in memory, acknowledged as they come. */
export class NodeModel {
  readonly segments = new Map<number, SegmentTable>()
  readonly kinds: string[] = []
  assignment: NodeAssignment | undefined
  revision = 0n
  /** Why the last stream ended. */
  error: unknown
  acknowledges = true
  readonly instance: string
  private stream: SyncStream | undefined
  private stop = new AbortController()
  private running: Promise<void> | undefined

  constructor(
    readonly name: string,
    opts: { instance?: string } = {},
  ) {
    this.instance = opts.instance ?? randomUUID()
  }

  /** Connects once, with what it holds. */
  connect(target: string): this {
    this.error = undefined
    this.stop = new AbortController()
    this.stream = openSync(target, this.hello(), this.stop.signal)
    this.running = this.read(this.stream)
    return this
  }

  async disconnect(): Promise<void> {
    this.stop.abort()
    await this.running
  }

  /** Resolves with the error that ends the stream. */
  async ended(): Promise<unknown> {
    await this.running
    return this.error
  }

  learn(
    vni: number,
    mac: string,
    device: string,
    { complete = false, ...opts }: { complete?: boolean } & ClaimOptions = {},
  ): void {
    this.claim([{ vni, mac, device, ...opts }], complete)
  }

  claim(claims: ({ vni: number; mac: string; device: string } & ClaimOptions)[], complete: boolean): void {
    this.stream!.send({
      kind: 'claims',
      claims: {
        complete,
        claims: claims.map(({ vni, mac, device, addresses = [], ...opts }) => ({
          vni,
          mac: parseMac(mac)!,
          interface: device,
          withdraw: opts.withdraw ?? false,
          announced: opts.announced ?? false,
          addresses: addresses.map((ip) => ({ ip: canonicalIp(ip), router: false })),
        })),
      },
    })
  }

  request(vni: number): void {
    this.stream!.send({ kind: 'segment_request', vni })
  }

  /** Where the node would send a frame to `mac`. */
  vtepOf(vni: number, mac: string): string | undefined {
    return this.segments.get(vni)?.entries.get(parseMac(mac)!)?.vtep
  }

  private hello(): Hello {
    const held = [...this.segments.values()].map(({ vni, revision, hash }) => ({ vni, revision, hash }))
    return { node: this.name, abi: 'abi', version: 'test', instance: this.instance, held }
  }

  private async read(stream: SyncStream): Promise<void> {
    try {
      for await (const change of stream.changes) this.apply(stream, change)
    } catch (err) {
      this.error = err
    }
  }

  private apply(stream: SyncStream, change: ControllerChange): void {
    switch (change.kind) {
      case 'node':
        this.assignment = change.assignment
        return
      case 'segment': {
        this.kinds.push(change.update.kind)
        const table = applySegmentUpdate(this.segments.get(change.update.vni), change.update)
        if (!table) throw new Error(`${change.update.kind} of ${change.update.vni} does not fit`)
        this.segments.set(table.vni, table)
        return
      }
      case 'segment_remove':
        this.segments.delete(change.vni)
        return
      case 'in_sync':
        this.revision = change.revision
        if (this.acknowledges) {
          stream.send({ kind: 'applied', applied: { revision: change.revision, failures: [] } })
        }
    }
  }
}

/** Waits for what has to come; the test's own timeout is the bound. */
export async function until(what: () => unknown): Promise<void> {
  while (!what()) await sleep(5)
}

import type { NodeReport } from '../../rpc/records.js'
import type { SyncStream } from '../../rpc/sync-client.js'

/** What the rest of the node sees of its controller. */
export interface ConnectionStatus {
  readonly connected: boolean
  /** Of the controller that is connected, or was tried last. */
  readonly address: string
  readonly since: string
  readonly streams: number
  readonly lastError?: string
}

/** The way to the controller, which comes and goes. What is sent while it is away is dropped: each stream starts over. */
export class Uplink {
  private stream: SyncStream | undefined
  private streams = 0
  private address = ''
  private since = new Date()
  private lastError: string | undefined

  /** Raised with each stream that came to its first complete state; 0 while there is none. */
  get generation(): number {
    return this.stream ? this.streams : 0
  }

  get status(): ConnectionStatus {
    return {
      connected: this.stream !== undefined,
      address: this.address,
      since: this.since.toISOString(),
      streams: this.streams,
      ...(this.lastError !== undefined && { lastError: this.lastError }),
    }
  }

  /** The controller takes no more now: leave out what the next report replaces. */
  get congested(): boolean {
    return this.stream?.congested ?? true
  }

  opened(stream: SyncStream, address: string): void {
    this.stream = stream
    this.streams++
    this.address = address
    this.since = new Date()
    this.lastError = undefined
  }

  closed(address: string, error: string | undefined): void {
    if (this.stream) this.since = new Date()
    this.stream = undefined
    this.address = address
    this.lastError = error
  }

  /** False when there is no controller now. */
  send(report: NodeReport): boolean {
    this.stream?.send(report)
    return this.stream !== undefined
  }
}

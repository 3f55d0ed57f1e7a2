import type { DesiredTopology } from '../../model/desired-state.js'
import type { StoreEvent } from './records.js'
import { type Head, headSchema, joinTopology } from './topology-objects.js'

/** A topology that is wholly there. */
export interface PublishedTopology {
  readonly name: string
  readonly revision: bigint
  readonly head: Head
  readonly desired: DesiredTopology
  readonly source: string
  /** As in etcd, to tell what an apply changes. */
  readonly objects: ReadonlyMap<string, string>
}

/**
 * PURE: heads and objects folded to topologies. One is published when its head
 * changes and all objects that the head counts are there, and stays as it was
 * while its objects are being staged. A head that cannot be followed is
 * quarantined: the last good topology goes on.
 */
export class TopologyFold {
  /** Reasons by etcd key. */
  readonly quarantine = new Map<string, string>()
  private readonly heads = new Map<string, { key: string; value: Uint8Array; revision: bigint }>()
  /** By topology, then epoch, then id. */
  private readonly staged = new Map<string, Map<string, Map<string, string>>>()
  private readonly published = new Map<string, PublishedTopology>()
  private readonly decoder = new TextDecoder()

  get topologies(): ReadonlyMap<string, PublishedTopology> {
    return this.published
  }

  /** Epochs of a topology that have objects, published or not. */
  epochs(topology: string): string[] {
    return [...(this.staged.get(topology)?.keys() ?? [])]
  }

  /** Folds whole revisions. Returns the topologies that are another, or gone. */
  apply(events: readonly StoreEvent[]): Set<string> {
    const touched = new Set<string>()
    for (const event of events) {
      if (event.id.kind === 'head') {
        this.setHead(event.id.topology, event)
        touched.add(event.id.topology)
      }
      if (event.id.kind === 'object') {
        this.setObject(event.id, event.value)
        // Changes with its head, unless a full list found late what the watch had lost.
        if (this.isInForce(event.id)) touched.add(event.id.topology)
      }
    }
    return new Set([...touched].filter((name) => this.publish(name)))
  }

  private setHead(topology: string, event: StoreEvent): void {
    if (event.value === undefined) this.heads.delete(topology)
    else this.heads.set(topology, { key: event.key, value: event.value, revision: event.mod_revision })
    this.quarantine.delete(event.key)
  }

  private setObject(
    { topology, epoch, id }: { topology: string; epoch: string; id: string },
    value: Uint8Array | undefined,
  ): void {
    const epochs = this.staged.get(topology) ?? new Map<string, Map<string, string>>()
    const objects = epochs.get(epoch) ?? new Map<string, string>()
    if (value === undefined) objects.delete(id)
    else objects.set(id, this.decoder.decode(value))
    if (objects.size > 0) epochs.set(epoch, objects)
    else epochs.delete(epoch)
    if (epochs.size > 0) this.staged.set(topology, epochs)
    else this.staged.delete(topology)
  }

  private isInForce({ topology, epoch }: { topology: string; epoch: string }): boolean {
    const head = this.heads.get(topology)
    if (head && this.quarantine.has(head.key)) return true
    return this.published.get(topology)?.head.epoch === epoch
  }

  private publish(name: string): boolean {
    const stored = this.heads.get(name)
    if (!stored) return this.published.delete(name)
    try {
      const head = headSchema.parse(JSON.parse(this.decoder.decode(stored.value)))
      const objects = this.staged.get(name)?.get(head.epoch) ?? new Map<string, string>()
      if (objects.size !== head.count) {
        throw new Error(`epoch ${head.epoch} has ${objects.size} of ${head.count} objects`)
      }
      const copy = new Map(objects)
      this.published.set(name, {
        name,
        revision: stored.revision,
        head,
        ...joinTopology(name, copy),
        objects: copy,
      })
      this.quarantine.delete(stored.key)
      return true
    } catch (err) {
      this.quarantine.set(stored.key, (err as Error).message)
      return false
    }
  }
}

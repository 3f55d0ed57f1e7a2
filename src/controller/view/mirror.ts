import type { StoreEvent } from './records.js'

/**
 * PURE: which keys are there and as of when, to turn a full list into the events
 * that a watch would have told: a key that the list lacks was deleted.
 */
export class Mirror {
  /** By key, without the values. */
  private readonly present = new Map<string, StoreEvent>()

  apply(events: readonly StoreEvent[]): void {
    for (const event of events) {
      if (event.value === undefined) this.present.delete(event.key)
      else this.present.set(event.key, { ...event, value: undefined })
    }
  }

  /** Events from here to `list`, which is all there is at `revision`. */
  diff(list: readonly StoreEvent[], revision: bigint): StoreEvent[] {
    const listed = new Set(list.map(({ key }) => key))
    const events: StoreEvent[] = []
    for (const gone of this.present.values()) {
      if (!listed.has(gone.key)) events.push({ ...gone, mod_revision: revision })
    }
    for (const event of list) {
      if (this.present.get(event.key)?.mod_revision !== event.mod_revision) events.push(event)
    }
    return events
  }
}

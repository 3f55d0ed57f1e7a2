import { type Link, listLinks } from '../netlink/link.js'

/**
 * The devices of this namespace, listed when something changed and at read-back.
 * Listing thousands is dear, hence once for all drivers of a pass.
 */
export class Links {
  private listed: readonly Link[] = []
  private names: ReadonlyMap<string, Link> = new Map()
  private stale = true
  private cost = 0
  private seen = 0

  /** What is known is old: a device or an address of one changed. */
  expire(): void {
    this.stale = true
    this.seen++
  }

  /** How many changes there were: for those who read what is not listed here. */
  get changes(): number {
    return this.seen
  }

  /** Lists again when something changed since the last time, or when told to. */
  async refresh(force = false): Promise<void> {
    if (!this.stale && !force) return
    this.stale = false
    const start = performance.now()
    try {
      this.listed = await listLinks()
    } catch (err) {
      this.stale = true
      throw err
    }
    this.cost = performance.now() - start
    this.names = new Map(this.listed.map((link) => [link.name, link]))
  }

  /** Milliseconds that the last listing took. */
  get costMs(): number {
    return this.cost
  }

  get all(): readonly Link[] {
    return this.listed
  }

  get byName(): ReadonlyMap<string, Link> {
    return this.names
  }
}

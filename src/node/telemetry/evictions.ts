/**
 * Counts what a map that evicts gave up before its time: what was there at one
 * audit, is not at the next, and is true all the same. The kernel does not count
 * it. What comes and goes between two audits is not seen. Pure.
 */
export class Evictions<T> {
  private before: ReadonlyMap<string, T> = new Map()
  private lost = 0

  get count(): number {
    return this.lost
  }

  /**
   * @param present what is there and stays, by key
   * @param isTrue whether what is not there now would have stayed
   */
  audit(present: ReadonlyMap<string, T>, isTrue: (gone: T) => boolean): void {
    for (const [key, entry] of this.before) if (!present.has(key) && isTrue(entry)) this.lost++
    this.before = present
  }
}

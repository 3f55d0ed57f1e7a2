/** Totals of one object at one time, by field. */
export type Totals = Readonly<Record<string, number>>

interface Sample {
  readonly at: number
  readonly totals: Totals
  readonly perSecond: Record<string, number> | undefined
}

/**
 * Rates from totals that come again and again. Pure: the time is passed in.
 *
 * A total that went down means that the node's maps were made anew: that interval
 * has no rate rather than a negative one.
 */
export class RateTracker {
  private readonly samples = new Map<string, Sample>()

  /** @param at milliseconds at which `totals` were true. */
  observe(key: string, at: number, totals: Totals): void {
    const before = this.samples.get(key)
    if (before && at <= before.at) return
    this.samples.set(key, { at, totals, perSecond: before && between(before, at, totals) })
  }

  /** Per second over the last interval; `undefined` before there are two samples of one epoch. */
  of(key: string): Readonly<Record<string, number>> | undefined {
    return this.samples.get(key)?.perSecond
  }

  /** Forgets what was not observed since `at`: an object that is gone has no rate. */
  forgetBefore(at: number): void {
    for (const [key, sample] of this.samples) if (sample.at < at) this.samples.delete(key)
  }

  get size(): number {
    return this.samples.size
  }
}

function between(before: Sample, at: number, totals: Totals): Record<string, number> | undefined {
  const seconds = (at - before.at) / 1000
  const entries = Object.entries(totals).map(
    ([field, total]) => [field, (total - (before.totals[field] ?? 0)) / seconds] as const,
  )
  return entries.some(([, rate]) => rate < 0) ? undefined : Object.fromEntries(entries)
}

/** Totals of one object at one time, by field. */
export type Totals = Readonly<Record<string, number>>

interface Sample {
  readonly at: number
  readonly totals: Totals
}

/**
 * Rates from totals that come again and again, over a sliding window. Pure: the
 * time is passed in.
 *
 * A total that went down means that the node's maps were made anew: the window
 * starts over there, so that no rate is negative.
 */
export class RateTracker {
  private readonly samples = new Map<string, Sample[]>()

  constructor(private readonly windowMs: number) {}

  /** @param at milliseconds at which `totals` were true. */
  observe(key: string, at: number, totals: Totals): void {
    const samples = this.samples.get(key)
    const last = samples?.at(-1)
    if (!samples || !last || wentDown(last.totals, totals)) {
      this.samples.set(key, [{ at, totals }])
      return
    }
    if (at <= last.at) return
    samples.push({ at, totals })
    while (samples.length > 2 && samples[0]!.at < at - this.windowMs) samples.shift()
  }

  /** Per second over the window; `undefined` before there are two samples. */
  of(key: string): Readonly<Record<string, number>> | undefined {
    const samples = this.samples.get(key)
    const first = samples?.[0]
    const last = samples?.at(-1)
    if (!first || !last || first === last) return undefined
    const seconds = (last.at - first.at) / 1000
    return Object.fromEntries(
      Object.entries(last.totals).map(([field, total]) => [
        field,
        (total - (first.totals[field] ?? 0)) / seconds,
      ]),
    )
  }

  has(key: string): boolean {
    return this.samples.has(key)
  }

  /** Forgets what was not observed since `at`: an object that is gone has no rate. */
  forgetBefore(at: number): void {
    for (const [key, samples] of this.samples) if ((samples.at(-1)?.at ?? 0) < at) this.samples.delete(key)
  }
}

function wentDown(before: Totals, after: Totals): boolean {
  return Object.entries(after).some(([field, total]) => total < (before[field] ?? 0))
}

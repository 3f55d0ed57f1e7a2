/** What repeated measurements of one figure say. Ratios are taken pair by pair, so a drifting machine cancels out. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly samples: readonly number[]
}

export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError('no samples')
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)!, samples }
}

/** The ratios of two series that were measured in turn, round by round. */
export function ratio(of: readonly number[], to: readonly number[]): Summary {
  if (of.length !== to.length) throw new RangeError(`${of.length} samples against ${to.length}`)
  return summarize(of.map((value, round) => value / to[round]!))
}

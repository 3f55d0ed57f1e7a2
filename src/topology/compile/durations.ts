const factors: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of `500ms`, `30s`, `5m` or `1h`; the schema has checked the text. */
export function milliseconds(checked: string): number {
  const unit = checked.replace(/^\d+/, '')
  return Number.parseInt(checked, 10) * (factors[unit] ?? Number.NaN)
}

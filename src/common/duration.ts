const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** Milliseconds of `500ms`, `30s`, `2m`, `1h`; a bare number is seconds. `undefined` when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text)
  return match ? Number(match[1]) * unitMs[(match[2] ?? 's') as keyof typeof unitMs] : undefined
}

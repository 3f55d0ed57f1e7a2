const pattern = /^(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB)?$/
const units = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9 } as const

/** Bytes of `100MB`, `64kB`, `2000`; `undefined` when it is none of these. */
export function parseSize(text: string): number | undefined {
  const match = pattern.exec(text)
  return match ? Math.floor(Number(match[1]) * units[(match[2] ?? 'B') as keyof typeof units]) : undefined
}

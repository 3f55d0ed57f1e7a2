import type { Change } from './diff.js'
import { counted } from './words.js'

const signs = { add: '+', change: '~', remove: '-' } as const

/** The table of `weft diff` with its closing line; ends in a newline. */
export function formatChanges(changes: readonly Change[], revision: bigint | number | string): string {
  if (changes.length === 0) return `no changes against revision ${revision}\n`
  const rows = changes.map((change) => [
    `${signs[change.op]} ${change.path}`,
    whatText(change),
    change.effect,
  ])
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('   '))
  const counts = (['add', 'change', 'remove'] as const)
    .map((op) => [changes.filter((change) => change.op === op).length, op] as const)
    .filter(([count]) => count > 0)
    .map(([count, op]) => `${count} ${op}`)
  const total = `${counted(changes.length, 'change')} (${counts.join(', ')}) against revision ${revision}`
  return [...lines.map((line) => line.trimEnd()), total].map((line) => `${line}\n`).join('')
}

function whatText({ op, from, to }: Change): string {
  if (op === 'change') return `${from} → ${to}`
  return to ?? from ?? ''
}

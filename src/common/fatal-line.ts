import type { WeftError } from './errors.js'

/**
 * How every executable ends in failure, on stderr: `weft-node: W-2001 what, where,
 * why`, a line for each problem, then `  next: command`. Never a stack trace.
 */
export function formatFatal(program: string, error: WeftError): string {
  const lines = error.message.split('\n').map((line) => `${program}: ${error.code} ${line}\n`)
  return `${lines.join('')}${error.next ? `  next: ${error.next}\n` : ''}`
}

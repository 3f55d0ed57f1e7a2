import type { Problem } from './problem.js'

/** What `weft validate` prints: one line a problem, code frames, and the closing count; ends in a newline. */
export function formatProblems(_file: string, _text: string, _problems: readonly Problem[]): string {
  throw new Error('being written')
}

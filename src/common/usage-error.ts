import type { CommanderError } from 'commander'
import { WeftError } from './errors.js'

/** Commander's complaint as ours: one line, with its suggestion in it. */
export function usageError(err: CommanderError, program: string): WeftError {
  const message = err.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (?:one of )?(.*)\?\)$/, ', did you mean $1?')
    .replace(/\.$/, '')
  return new WeftError('W-4001', message, { next: `${program} --help`, cause: err })
}

import { WeftError } from '../common/errors.js'
import type { GlobalFlags, OutputFormat } from './context.js'

/**
 * Refuses a format in which the command has nothing to say; one of WEFT_OUTPUT is
 * for the other commands and counts as `table` here.
 *
 * @param takes - besides `table`, which is the default
 * @throws WeftError W-4001
 */
export function refuseFormat(
  command: string,
  { output, outputFrom }: GlobalFlags,
  takes: readonly OutputFormat[],
): void {
  if (output === 'table' || takes.includes(output) || outputFrom === 'env') return
  throw new WeftError('W-4001', `${command} has no -o ${output}`, {
    next: takes.map((format) => `-o ${format}`).join(' or '),
  })
}

export const asValue = ['json', 'yaml'] as const

import { titleOf } from '../../api/problem-title.js'
import { type ErrorCode, errorCatalogue, WeftError } from '../../common/errors.js'
import { didYouMean } from '../../common/guess.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { explanations } from '../explanations.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderValue } from '../output.js'

/** The meaning of an error code; needs no controller. */
export function explain(ctx: CliContext, flags: GlobalFlags, word: string): number {
  refuseFormat('explain', flags, asValue)
  const code = word.toUpperCase() as ErrorCode
  const codes = Object.keys(errorCatalogue)
  if (!codes.includes(code)) {
    throw new WeftError('W-3007', `there is no code "${word}"${didYouMean(code, codes)}`)
  }
  const { http, exit, retry } = errorCatalogue[code]
  if (flags.output === 'json' || flags.output === 'yaml') {
    const data = { code, title: titleOf(code), explanation: explanations[code] ?? '', http, exit, retry }
    ctx.stdout.write(renderValue(data, flags.output))
    return exitCodes.done
  }
  const later = retry ? 'The same call may succeed later.' : 'Repeating the same call does not help.'
  ctx.stdout.write(
    `${code}  ${titleOf(code)}\n\n${explanations[code] ?? ''}\n\n${later} Exit code ${exit}, HTTP status ${http}.\n`,
  )
  return exitCodes.done
}

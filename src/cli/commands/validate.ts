import { WeftError } from '../../common/errors.js'
import { formatFatal } from '../../common/fatal-line.js'
import { formatProblems, type Loaded, loadTopology } from '../../topology/index.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderValue } from '../output.js'
import { plural } from '../quantity.js'
import { readInput } from '../session.js'

interface Checked {
  readonly text: string
  readonly problems: Loaded['problems']
  readonly unreadable?: WeftError
}

/** Checks files, their labs too, without a controller: 0 when all are right, 2 otherwise. */
export async function validate(
  ctx: CliContext,
  flags: GlobalFlags,
  files: readonly string[],
): Promise<number> {
  refuseFormat('validate', flags, asValue)
  const results = []
  for (const file of files) results.push({ file, ...(await check(ctx, file)) })
  const valid = results.every(({ unreadable, problems }) => !unreadable && problems.length === 0)

  if (flags.output === 'json' || flags.output === 'yaml') {
    const data = results.map(({ file, unreadable, problems }) =>
      unreadable
        ? { file, valid: false, problems: [{ code: unreadable.code, message: unreadable.message }] }
        : { file, valid: problems.length === 0, problems },
    )
    ctx.stdout.write(renderValue(data, flags.output))
    return valid ? exitCodes.done : exitCodes.usage
  }
  for (const { file, text, unreadable, problems, desired } of results) {
    const { nodes = [], networks = [] } = desired ?? {}
    const right = `${file}: valid, ${plural(nodes.length, 'node')}, ${plural(networks.length, 'network')}\n`
    if (unreadable) ctx.stderr.write(formatFatal('weft', unreadable))
    else ctx.stdout.write(problems.length > 0 ? formatProblems(file, text, [...problems]) : right)
  }
  return valid ? exitCodes.done : exitCodes.usage
}

// One file that cannot be read says nothing about the others.
async function check(ctx: CliContext, file: string): Promise<Partial<Loaded> & Checked> {
  try {
    const text = await readInput(ctx, file)
    return { text, ...loadTopology(text, { lab: true }) }
  } catch (err) {
    if (!(err instanceof WeftError) || err.code !== 'W-1007') throw err
    return { text: '', problems: [], unreadable: err }
  }
}

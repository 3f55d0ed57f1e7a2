import { formatProblems, loadTopology } from '../../topology/index.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { renderValue } from '../output.js'
import { plural } from '../quantity.js'
import { readInput } from '../session.js'

/** Checks files, their labs too, without a controller: 0 when all are right, 2 otherwise. */
export async function validate(
  ctx: CliContext,
  flags: GlobalFlags,
  files: readonly string[],
): Promise<number> {
  const results = []
  for (const file of files) {
    const text = await readInput(ctx, file)
    results.push({ file, text, ...loadTopology(text, { lab: true }) })
  }
  const valid = results.every(({ problems }) => problems.length === 0)

  if (flags.output === 'json' || flags.output === 'yaml') {
    const data = results.map(({ file, problems }) => ({ file, valid: problems.length === 0, problems }))
    ctx.stdout.write(renderValue(data, flags.output))
    return valid ? exitCodes.done : exitCodes.usage
  }
  for (const { file, text, problems, desired } of results) {
    const { nodes = [], networks = [] } = desired ?? {}
    const right = `${file}: valid, ${plural(nodes.length, 'node')}, ${plural(networks.length, 'network')}\n`
    ctx.stdout.write(problems.length > 0 ? formatProblems(file, text, [...problems]) : right)
  }
  return valid ? exitCodes.done : exitCodes.usage
}

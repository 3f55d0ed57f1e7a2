import type { DesiredTopology } from '../model/desired-state.js'
import { formatProblems, loadTopology } from '../topology/index.js'
import type { CliContext } from './context.js'
import { readInput } from './session.js'

export interface CheckedFile {
  readonly text: string
  readonly desired: DesiredTopology
}

/** Reads and checks a topology before it is sent; `undefined` once its problems are printed on stderr. */
export async function readTopology(ctx: CliContext, file: string): Promise<CheckedFile | undefined> {
  const text = await readInput(ctx, file)
  const { desired, problems } = loadTopology(text)
  if (problems.length === 0 && desired) return { text, desired }
  ctx.stderr.write(formatProblems(file, text, [...problems]))
  return undefined
}

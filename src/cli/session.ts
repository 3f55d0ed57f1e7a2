import { readFile } from 'node:fs/promises'
import { ApiClient } from '../common/api-client.js'
import { parseDuration } from '../common/duration.js'
import { WeftError } from '../common/errors.js'
import type { CliContext, GlobalFlags } from './context.js'
import { resolveServer } from './server-address.js'

/** Beyond what the controller was asked to wait: the way there and back. */
const GRACE_MS = 5000

/** A client for the controller that the flags name. */
export function connect(ctx: CliContext, flags: GlobalFlags): ApiClient {
  return new ApiClient(resolveServer(flags.server), ctx.signal, timeoutOf(flags) + GRACE_MS)
}

/** Milliseconds of `--timeout`. @throws WeftError W-4001 */
export function timeoutOf({ timeout }: GlobalFlags): number {
  const ms = parseDuration(timeout)
  if (ms === undefined)
    throw new WeftError('W-4001', `--timeout ${timeout}: give a duration such as 30s, 500ms or 2m`)
  return ms
}

/** The text of a file, or of standard input for `-`. @throws WeftError W-1007 */
export async function readInput(ctx: CliContext, file: string): Promise<string> {
  if (file === '-') return ctx.readStdin()
  try {
    return await readFile(file, 'utf8')
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException
    const why = { ENOENT: 'no such file', EACCES: 'permission denied', EISDIR: 'is a directory' }[code ?? '']
    throw new WeftError('W-1007', `cannot read ${file}: ${why ?? (err as Error).message}`, { cause: err })
  }
}

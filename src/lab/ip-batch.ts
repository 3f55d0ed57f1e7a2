import { WeftError } from '../common/errors.js'
import { run } from './command.js'

/**
 * Runs lines of ip(8) in order, in a namespace or the caller's own; the first that fails ends it.
 *
 * @throws WeftError W-4005 with that line and what the kernel said.
 */
export async function ipBatch(
  lines: readonly string[],
  { namespace, signal }: { readonly namespace?: string; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace]
  const input = lines.map((line) => `${line}\n`).join('')
  const { code, stderr } = await run(['ip', ...where, '-batch', '-'], { input, signal })
  if (code === 0) return
  const failed = lines[Number(/^Command failed -:(\d+)$/m.exec(stderr)?.[1]) - 1]
  const why = stderr
    .replace(/^Command failed .*$/m, '')
    .trim()
    .split('\n')
    .slice(0, 3)
    .join('; ')
  const line = ['ip', ...where, failed ?? '-batch'].join(' ')
  throw new WeftError('W-4005', `${line} failed: ${why || `exit ${code}`}`, { details: { code, stderr } })
}

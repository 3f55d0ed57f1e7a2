import { constants } from 'node:os'

export interface Termination {
  /** Aborts at the first signal that asks to end, and when nobody reads what is written. */
  readonly signal: AbortSignal
  /** 128 and the number of the signal that came; `undefined` while none did. */
  readonly exitCode: () => number | undefined
}

/**
 * Turns what ends a command into one abort, so that it can undo what it began.
 * A second signal of the same kind kills at once. A closed terminal or pipe
 * counts as SIGPIPE; writing on is no error then.
 */
export function catchTermination(): Termination {
  const stop = new AbortController()
  let by: NodeJS.Signals | undefined
  const end = (name: NodeJS.Signals) => {
    by ??= name
    stop.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, end)
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (err: NodeJS.ErrnoException) => {
      if (err.code !== 'EPIPE' && err.code !== 'EIO') throw err
      end('SIGPIPE')
    })
  return { signal: stop.signal, exitCode: () => by && 128 + constants.signals[by] }
}

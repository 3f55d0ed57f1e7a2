import type { WaitResult } from '../control.js'

export interface Progress {
  readonly sent: bigint
  readonly applied: bigint
}

/**
 * Waits until every node has `revision` in its kernel, or `signal` aborts.
 *
 * @param onChange - tells when progress may be another; returns its end
 */
export async function waitProgrammed(
  revision: bigint,
  nodes: readonly string[],
  progressOf: (node: string) => Progress,
  onChange: (listener: () => void) => () => void,
  signal: AbortSignal,
): Promise<WaitResult> {
  const started = performance.now()
  const sending = new Set(nodes)
  const late = new Set(nodes)
  let sentMs: number | undefined
  let programmedMs: number | undefined
  let slowest: string | undefined

  const look = () => {
    for (const node of late) {
      const { sent, applied } = progressOf(node)
      if (sent >= revision || applied >= revision) sending.delete(node)
      if (applied < revision) continue
      late.delete(node)
      slowest = node
    }
    if (sending.size === 0) sentMs ??= performance.now() - started
    if (late.size === 0) programmedMs ??= performance.now() - started
  }

  look()
  if (late.size > 0 && !signal.aborted) await until(look, () => late.size === 0, onChange, signal)
  return {
    ...(sentMs === undefined ? {} : { sent_ms: sentMs }),
    ...(programmedMs === undefined ? {} : { programmed_ms: programmedMs }),
    ...(slowest === undefined ? {} : { slowest }),
    late: [...late],
  }
}

async function until(
  look: () => void,
  done: () => boolean,
  onChange: (listener: () => void) => () => void,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const finish = () => {
      end()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const end = onChange(() => {
      look()
      if (done()) finish()
    })
    signal.addEventListener('abort', finish, { once: true })
  })
}

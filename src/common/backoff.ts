import { setTimeout as sleep } from 'node:timers/promises'

export interface BackoffOptions {
  /** Milliseconds before the first retry, on average. */
  readonly firstMs: number
  readonly maxMs: number
  /** 0 up to 1; replaced in tests. */
  readonly random?: () => number
}

/**
 * Milliseconds to wait before retry number `failures` (1 is the first): doubled
 * each time up to `maxMs`, then spread over 75 % to 125 %, so that many nodes do
 * not come back in one moment.
 */
export function backoffMs(
  failures: number,
  { firstMs, maxMs, random = Math.random }: BackoffOptions,
): number {
  const base = Math.min(maxMs, firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)))
  return Math.round(base * (0.75 + random() / 2))
}

/** Waits; ends early, without an error, when `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  try {
    await sleep(ms, undefined, { signal })
  } catch (err) {
    if (!signal.aborted) throw err
  }
}

import type { Failure } from '../../rpc/records.js'
import { failureOf } from './failure.js'

/** Owns one kind of kernel state: one map, or one kind of netlink object. */
export interface Driver<S> {
  readonly name: string
  /**
   * Brings the kernel to `desired`; `resync` reads the kernel back first. What
   * it could not do for single objects is in the result; it throws when it does
   * not know the kernel's state any more.
   */
  apply(desired: S, opts: { readonly resync: boolean }): Promise<readonly Failure[]>
}

/** Holds only the newest state: a slow kernel coalesces updates, never queues them. */
export interface Inbox<S> {
  readonly value: S | undefined
  /** Ends at once when something came since the last call. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<'changed' | 'timeout' | 'stopped'>
}

/** What one pass over all drivers came to. */
export interface Outcome<S> {
  readonly state: S
  readonly failures: readonly Failure[]
  readonly resync: boolean
}

export interface ReconcileOptions<S> {
  readonly now: () => number
  /** CPU time of this process so far, milliseconds. */
  readonly cpuMs: () => number
  /** Between two read-backs, at least. */
  readonly resyncMs: number
  /** Milliseconds before a driver that threw is tried again, from the number of failed passes. */
  readonly backoffMs: (failures: number) => number
  readonly onPass: (outcome: Outcome<S>) => void
  readonly onThrow: (driver: string, thrown: unknown) => void
}

/** Read-backs take at most one part in this of a CPU: dear ones come more seldom. */
const RESYNC_SHARE = 50

/**
 * Applies the newest desired state until `signal` aborts. Drivers run in order,
 * one after another, so that a later one sees what an earlier one made.
 *
 * Nothing is written before the first complete state is in the inbox: until
 * then an absent entry may only be one we have not been told of yet.
 */
export async function reconcile<S>(
  drivers: readonly Driver<S>[],
  inbox: Inbox<S>,
  opts: ReconcileOptions<S>,
  signal: AbortSignal,
): Promise<void> {
  const dirty = new Set(drivers) // unknown after a start, so read back first
  let failedPasses = 0
  let resyncAt = opts.now() + opts.resyncMs
  for (;;) {
    const untilResync = Math.max(0, resyncAt - opts.now())
    const wait = failedPasses > 0 ? Math.min(untilResync, opts.backoffMs(failedPasses)) : untilResync
    if ((await inbox.wait(wait, signal)) === 'stopped') return
    const state = inbox.value
    const due = opts.now() >= resyncAt
    if (due) for (const driver of drivers) dirty.add(driver) // drift nobody told us of
    if (state === undefined) {
      if (due) resyncAt = opts.now() + opts.resyncMs
      continue
    }

    const resync = dirty.size === drivers.length
    const cpuBefore = opts.cpuMs()
    const { failures, threw } = await pass(drivers, dirty, state, opts)
    failedPasses = threw ? failedPasses + 1 : 0
    if (resync) {
      const cost = opts.cpuMs() - cpuBefore
      resyncAt = opts.now() + Math.max(opts.resyncMs, cost * RESYNC_SHARE)
    }
    opts.onPass({ state, failures, resync })
  }
}

// One driver's failure never stops the others; it alone is read back next time.
async function pass<S>(
  drivers: readonly Driver<S>[],
  dirty: Set<Driver<S>>,
  state: S,
  opts: ReconcileOptions<S>,
): Promise<{ failures: Failure[]; threw: boolean }> {
  const failures: Failure[] = []
  let threw = false
  for (const driver of drivers) {
    const resync = dirty.delete(driver)
    try {
      failures.push(...(await driver.apply(state, { resync })))
    } catch (thrown) {
      dirty.add(driver)
      threw = true
      failures.push(failureOf(thrown, driver.name))
      opts.onThrow(driver.name, thrown)
    }
  }
  return { failures, threw }
}

/**
 * Runs tasks side by side until `signal` aborts or one fails; then stops the
 * others, waits for them, and throws the first failure. No task outlives this.
 * A task that ends by itself leaves the others running.
 */
export async function together(
  signal: AbortSignal,
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  let failure: { reason: unknown } | undefined
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(stop)
      } catch (reason) {
        failure ??= { reason }
        failed.abort(reason)
      }
    }),
  )
  if (failure) throw failure.reason
}

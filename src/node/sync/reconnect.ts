/** Shortest and longest wait before the controllers are tried again, milliseconds. */
const FIRST_MS = 200
const MAX_MS = 5_000

/**
 * Milliseconds before the next attempt, from how many failed in a row. Each of
 * the addresses is tried once without waiting; then full jitter: anything from
 * 0.2 s up to a bound that doubles to 5 s, so that nodes that lost their
 * controller in one moment do not come back in one.
 */
export function reconnectMs(failures: number, addresses: number, random: () => number = Math.random): number {
  if (failures % addresses !== 0) return 0
  const round = failures / addresses
  const bound = Math.min(MAX_MS, 2 * FIRST_MS * 2 ** Math.min(10, round - 1))
  return Math.round(FIRST_MS + random() * (bound - FIRST_MS))
}

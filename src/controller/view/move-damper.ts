import type { Mac } from '../../model/mac.js'

const MOVES = 5
const WINDOW_MS = 180_000

/**
 * PURE: finds MACs that are in two places at once (RFC 7432 15.1): after five
 * moves within 180 s a MAC stays where it is for the next 180 s.
 */
export class MoveDamper {
  /** MACs it remembers. */
  get size(): number {
    return this.moves.size + this.until.size
  }
  private readonly moves = new Map<string, number[]>()
  private readonly until = new Map<string, number>()

  /** Notes a move. True when it froze the MAC. */
  moved(vni: number, mac: Mac, nowMs: number): boolean {
    const key = `${vni}/${mac}`
    const recent = (this.moves.get(key) ?? []).filter((at) => nowMs - at < WINDOW_MS)
    recent.push(nowMs)
    this.moves.delete(key)
    if (recent.length < MOVES) {
      this.moves.set(key, recent)
      this.forget(nowMs)
      return false
    }
    this.until.delete(key)
    this.until.set(key, nowMs + WINDOW_MS)
    this.forget(nowMs)
    return true
  }

  frozen(vni: number, mac: Mac, nowMs: number): boolean {
    const key = `${vni}/${mac}`
    const until = this.until.get(key)
    if (until === undefined) return false
    if (nowMs < until) return true
    this.until.delete(key)
    return false
  }

  // Oldest first, as the maps keep the order of the last move, and of freezing.
  private forget(nowMs: number): void {
    for (const [key, times] of this.moves) {
      if (nowMs - times.at(-1)! < WINDOW_MS) break
      this.moves.delete(key)
    }
    for (const [key, until] of this.until) {
      if (nowMs < until) break
      this.until.delete(key)
    }
  }
}

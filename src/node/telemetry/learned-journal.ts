import type { Mac } from '../../model/mac.js'
import type { LearnedMove, Place } from '../../rpc/questions.js'

/** A MAC that changed its place; time of CLOCK_MONOTONIC. */
export interface SeenMove {
  readonly atNs: number
  readonly vni: number
  readonly mac: Mac
  readonly from: Place | undefined
  readonly to: Place
  /** By gratuitous ARP, unsolicited advertisement or RARP. */
  readonly announced: boolean
}

const MOST = 1024
const MS = 1e6

/**
 * The last moves in segments whose learning stays in the dataplane: no
 * controller keeps a journal of those. Lost with the daemon. Pure.
 */
export class LearnedJournal {
  /** A ring: the oldest is at `next` once it is full. */
  private readonly moves: SeenMove[] = []
  private next = 0

  constructor(private readonly most = MOST) {}

  add(move: SeenMove): void {
    this.moves[this.next] = move
    this.next = (this.next + 1) % this.most
  }

  /** The newest first. @param wanted VNI 0 and no MAC mean all */
  list(
    wanted: { readonly vni: number; readonly mac: Mac | undefined; readonly limit: number },
    nowNs: number,
  ): LearnedMove[] {
    const found: LearnedMove[] = []
    const { length } = this.moves
    for (let back = 1; back <= length && found.length < wanted.limit; back++) {
      const move = this.moves[(this.next - back + length) % length]!
      if (wanted.vni !== 0 && move.vni !== wanted.vni) continue
      if (wanted.mac !== undefined && move.mac !== wanted.mac) continue
      found.push(shown(move, nowNs))
    }
    return found
  }
}

function shown({ atNs, vni, mac, from, to, announced }: SeenMove, nowNs: number): LearnedMove {
  return { vni, mac, at: to, from, announced, ago_ms: Math.max(0, Math.round((nowNs - atNs) / MS)) }
}

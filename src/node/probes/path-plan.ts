import type { Ip } from '../../model/ip.js'
import type { PathState } from '../../rpc/records.js'

/** What one peer's path must carry, and in which segment it is asked. */
export interface PathNeed {
  readonly vni: number
  /** Ethernet payload, bytes. */
  readonly mtu: number
}

/** A probe to be sent now. */
export interface PathProbe {
  readonly to: Ip
  readonly vni: number
  readonly size: number
  readonly sequence: number
}

export interface PathPlanOptions {
  /** Between two checks of a path, milliseconds; each time a tenth more or less. */
  readonly intervalMs: number
  readonly waitMs: number
  /** Lost ones before a size is held to be too large. */
  readonly tries: number
  /** Probes to all peers, a second. */
  readonly perSecond: number
  /** Ethernet payload of the smallest probe, bytes. */
  readonly least: number
  readonly random: () => number
}

type State = 'ok' | 'too_small' | 'no_answer' | 'unknown'

interface Path {
  need: PathNeed
  state: State
  mtu: number
  rttUs: number
  /** Largest that is known to pass and smallest that is known not to, while they are looked for. */
  search: { good: number; bad: number } | undefined
  size: number
  lost: number
  /** Of the probe under way; 0: none. */
  sequence: number
  dueMs: number
}

/**
 * When to probe which path with how much: PURE. The full size at intervals; when
 * that is lost so often that it cannot be chance, the largest size that passes,
 * by halving, what was found the last time first.
 */
export class PathPlan {
  private readonly paths = new Map<Ip, Path>()
  private sequence = 0
  private allowance: number
  private refilledMs = 0

  constructor(private readonly opts: PathPlanOptions) {
    this.allowance = opts.perSecond
  }

  /** Which paths there shall be. New ones are spread over an interval, the first within a second. */
  update(needs: ReadonlyMap<Ip, PathNeed>, nowMs: number): void {
    for (const to of this.paths.keys()) if (!needs.has(to)) this.paths.delete(to)
    for (const [to, need] of needs) {
      const path = this.paths.get(to)
      if (path?.need.mtu === need.mtu) path.need = need
      else this.paths.set(to, this.fresh(need, nowMs))
    }
  }

  /** Probes to be sent now, no more than the rate allows; the others stay due. */
  due(nowMs: number): PathProbe[] {
    const { perSecond, waitMs } = this.opts
    this.allowance = Math.min(perSecond, this.allowance + ((nowMs - this.refilledMs) / 1000) * perSecond)
    this.refilledMs = nowMs
    const probes: PathProbe[] = []
    for (const [to, path] of this.paths) {
      if (path.dueMs > nowMs) continue
      if (path.sequence !== 0) this.timedOut(path, nowMs)
      if (path.dueMs > nowMs) continue
      if (this.allowance < 1) break
      this.allowance--
      path.sequence = this.nextSequence()
      path.dueMs = nowMs + waitMs
      // Those that had to wait for the rate go before it the next time.
      this.paths.delete(to)
      this.paths.set(to, path)
      probes.push({ to, vni: path.need.vni, size: path.size, sequence: path.sequence })
    }
    return probes
  }

  /** A reply came. One that is late, or to a probe of before, says nothing. */
  answered(to: Ip, sequence: number, rttUs: number, nowMs: number): void {
    const path = this.paths.get(to)
    if (!path || sequence === 0 || path.sequence !== sequence) return
    path.sequence = 0
    path.lost = 0
    path.rttUs = rttUs
    if (path.size >= path.need.mtu) this.settle(path, 'ok', path.need.mtu, nowMs)
    else if (path.search) this.narrow(path, { ...path.search, good: path.size }, nowMs)
  }

  /** Earliest time at which `due` has something; `undefined` without paths. */
  get nextMs(): number | undefined {
    return this.paths.size === 0 ? undefined : Math.min(...[...this.paths.values()].map(({ dueMs }) => dueMs))
  }

  states(): PathState[] {
    return [...this.paths]
      .map(([vtep, { state, mtu, need, rttUs }]) => ({
        vtep,
        state,
        path_mtu: mtu,
        wanted_mtu: need.mtu,
        rtt_us: rttUs,
      }))
      .sort((a, b) => (a.vtep < b.vtep ? -1 : 1))
  }

  private fresh(need: PathNeed, nowMs: number): Path {
    const spread = Math.min(this.opts.intervalMs, 1000 + (this.paths.size / this.opts.perSecond) * 1000)
    const dueMs = nowMs + this.opts.random() * spread
    return {
      need,
      state: 'unknown',
      mtu: 0,
      rttUs: 0,
      search: undefined,
      size: need.mtu,
      lost: 0,
      sequence: 0,
      dueMs,
    }
  }

  private timedOut(path: Path, nowMs: number): void {
    path.sequence = 0
    path.lost++
    if (path.lost < this.opts.tries) return
    path.lost = 0
    const { search, size, need } = path
    if (!search) this.begin(path, need.mtu, nowMs)
    else if (size <= this.opts.least) this.settle(path, 'no_answer', 0, nowMs)
    else this.narrow(path, { ...search, bad: size }, nowMs)
  }

  // The smallest first: whether anybody answers at all.
  private begin(path: Path, bad: number, nowMs: number): void {
    path.search = { good: 0, bad }
    path.size = this.opts.least
    path.dueMs = nowMs
    if (bad <= this.opts.least) this.settle(path, 'no_answer', 0, nowMs)
  }

  private narrow(path: Path, search: { good: number; bad: number }, nowMs: number): void {
    const { good, bad } = search
    if (bad - good <= 1) {
      this.settle(path, 'too_small', good, nowMs)
      return
    }
    path.search = search
    path.dueMs = nowMs
    const before = path.state === 'too_small' ? path.mtu : 0
    if (before > good && before < bad) path.size = before
    else if (before === good && before + 1 < bad) path.size = good + 1
    else path.size = Math.floor((good + bad) / 2)
  }

  private settle(path: Path, state: State, mtu: number, nowMs: number): void {
    path.state = state
    path.mtu = mtu
    path.search = undefined
    path.size = path.need.mtu
    path.lost = 0
    path.sequence = 0
    path.dueMs = nowMs + this.opts.intervalMs * (0.9 + 0.2 * this.opts.random())
  }

  private nextSequence(): number {
    this.sequence = (this.sequence % 0xffff_fffe) + 1
    return this.sequence
  }
}

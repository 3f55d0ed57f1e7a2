import type { Control, MacEntry } from '../control.js'
import { countBy, Directory } from './directory.js'
import { RateTracker, type Totals } from './rates.js'

/** Smooths the jitter of one-second reports, and still follows a change at once. */
const TUNNEL_WINDOW_MS = 5000
const DROP_WINDOW_MS = 60_000
/** A thousand nodes report every second: all are looked at together. */
const SAMPLE_MS = 100

export interface MacCounts {
  readonly total: number
  readonly ofNode: ReadonlyMap<string, number>
  /** By `node/interface`. */
  readonly ofPort: ReadonlyMap<string, number>
  /** By `vni/vtep`. */
  readonly ofVtep: ReadonlyMap<string, number>
  readonly ofVni: ReadonlyMap<string, number>
  /** By `network/type`. */
  readonly ofType: ReadonlyMap<string, number>
}

/**
 * The control plane as the API shows it: with names behind numbers, counts of MACs
 * and rates. What is derived is kept until the control plane changes.
 */
export class Observed {
  readonly startedAt = new Date()
  private readonly tunnelRates = new RateTracker(TUNNEL_WINDOW_MS)
  private readonly dropRates = new RateTracker(DROP_WINDOW_MS)
  private readonly lastReports = new Map<string, string>()
  private sampling: NodeJS.Timeout | undefined
  private cachedDirectory: Directory | undefined
  private cachedCounts: MacCounts | undefined

  constructor(readonly control: Control) {}

  /** Listens to changes until `signal` aborts; without it there are no rates. */
  follow(signal: AbortSignal): void {
    const end = this.control.onChange(() => this.changed())
    signal.addEventListener('abort', end, { once: true })
    this.changed()
  }

  get directory(): Directory {
    this.cachedDirectory ??= new Directory(this.control.topologies())
    return this.cachedDirectory
  }

  get macCounts(): MacCounts {
    this.cachedCounts ??= countMacs(this.control.macs())
    return this.cachedCounts
  }

  tunnelRate(node: string, vni: number, vtep: string): Readonly<Record<string, number>> | undefined {
    return this.tunnelRates.of(`${node}/${vni}/${vtep}`)
  }

  /** Packets per second over the last minute. */
  dropRate(node: string, vni: number, program: string, reason: string): number | null {
    return this.dropRates.of(`${node}/${vni}/${program}/${reason}`)?.['packets'] ?? null
  }

  private changed(): void {
    this.cachedDirectory = undefined
    this.cachedCounts = undefined
    this.sampling ??= setTimeout(() => this.sample(), SAMPLE_MS).unref()
  }

  /** Takes in the reports that came since the last time. */
  sample(): void {
    this.sampling = undefined
    for (const { name, report, report_at } of this.control.nodes()) {
      const before = this.lastReports.get(name)
      if (!report || report_at === undefined || report_at === before) continue
      this.lastReports.set(name, report_at)
      const times = {
        at: Date.parse(report_at),
        since: before === undefined ? undefined : Date.parse(before),
      }
      for (const { vni, vtep, ...totals } of report.tunnels) {
        observe(this.tunnelRates, `${name}/${vni}/${vtep}`, times, totals)
      }
      for (const { vni, program, reason, packets } of report.verdicts) {
        if (isDrop(reason)) observe(this.dropRates, `${name}/${vni}/${program}/${reason}`, times, { packets })
      }
    }
    const longAgo = Date.now() - 2 * DROP_WINDOW_MS
    this.tunnelRates.forgetBefore(longAgo)
    this.dropRates.forgetBefore(longAgo)
  }
}

// What the report before did not have was 0 then: its first packets have a rate too.
function observe(
  tracker: RateTracker,
  key: string,
  { at, since }: { at: number; since: number | undefined },
  totals: Totals,
): void {
  if (since !== undefined && !tracker.has(key)) {
    tracker.observe(key, since, Object.fromEntries(Object.keys(totals).map((field) => [field, 0])))
  }
  tracker.observe(key, at, totals)
}

/** Verdicts below are of frames that were forwarded. */
export function isDrop(reason: string): boolean {
  return reason.startsWith('drop_')
}

function countMacs(entries: Iterable<MacEntry>): MacCounts {
  const macs = [...entries]
  return {
    total: macs.length,
    ofNode: countBy(macs.flatMap(({ node }) => node ?? [])),
    ofPort: countBy(
      macs.flatMap((mac) => (mac.interface === undefined ? [] : `${mac.node}/${mac.interface}`)),
    ),
    ofVtep: countBy(macs.map(({ vni, vtep }) => `${vni}/${vtep}`)),
    ofVni: countBy(macs.map(({ vni }) => String(vni))),
    ofType: countBy(macs.map(({ network, type }) => `${network}/${type}`)),
  }
}

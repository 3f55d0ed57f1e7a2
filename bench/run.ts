import type { FigureName, Measure, Sample } from './measure.js'
import { inside, type Rig, type RigName } from './rig.js'
import { ratio, type Summary, summarize } from './stats.js'

export interface Figure extends FigureName {
  readonly rigs: Partial<Record<RigName, Summary>>
  /** The largest share lost in a round; only of rigs where something was. */
  readonly lost: Partial<Record<RigName, number>>
  /** One rig's figure over another's, round by round: `weft-fast/kernel`. */
  readonly ratios: Readonly<Record<string, Summary>>
}

const COMPARED: readonly (readonly [RigName, RigName])[] = [
  ['weft-fast', 'kernel'],
  ['weft-fast', 'routing'],
  ['weft-slow', 'kernel'],
]
const NO_LOSS = 1e-4

export interface Plan {
  readonly measures: readonly Measure[]
  readonly rounds: number
  readonly seconds: number
  readonly signal: AbortSignal
  progress(text: string): void
}

/**
 * Every round takes every measure on every rig, one after the other, so that a
 * machine that drifts drifts for all of them. Each round begins with another
 * rig, so that none always follows the same one.
 */
export async function interleave(rigs: readonly Rig[], plan: Plan): Promise<Figure[]> {
  const { measures, rounds, seconds, signal } = plan
  const samples = new Map<Measure, Map<RigName, Sample[]>>()
  for (const rig of rigs) await warm(rig, signal)
  for (let round = 0; round < rounds; round++) {
    for (const measure of measures) {
      for (const rig of rotated(rigs, round).filter((one) => measure.fits(one))) {
        plan.progress(`round ${round + 1} of ${rounds}: ${measure.name} on ${rig.name}`)
        const byRig = samples.get(measure) ?? new Map<RigName, Sample[]>()
        samples.set(measure, byRig)
        byRig.set(rig.name, [...(byRig.get(rig.name) ?? []), await takeOn(rig, measure, seconds, signal)])
      }
    }
  }
  return measures.flatMap((measure) =>
    measure.figures.map((figure) => figureOf(figure, samples.get(measure) ?? new Map())),
  )
}

/** Neighbours resolved, MACs learned and in the tables of the other side. */
async function warm({ a, b }: Rig, signal: AbortSignal): Promise<void> {
  const ping = ['ping', '-q', '-c', '5', '-i', '0.2', b.address]
  await inside(a.namespace, ping, { cpu: undefined, timeoutMs: 20_000, signal })
}

async function takeOn(rig: Rig, measure: Measure, seconds: number, signal: AbortSignal): Promise<Sample> {
  try {
    return await measure.take(rig, seconds, signal)
  } catch (cause) {
    signal.throwIfAborted()
    throw new Error(`${measure.name} on ${rig.name}: ${(cause as Error).message}`, { cause })
  }
}

function rotated<T>(all: readonly T[], by: number): T[] {
  const at = by % Math.max(1, all.length)
  return [...all.slice(at), ...all.slice(0, at)]
}

function figureOf(figure: FigureName, samples: ReadonlyMap<RigName, readonly Sample[]>): Figure {
  const values = (rig: RigName) => samples.get(rig)?.map((sample) => sample.values[figure.name]!)
  const lost = (rig: RigName) => Math.max(0, ...samples.get(rig)!.map((sample) => sample.lost ?? 0))
  const rigs = [...samples.keys()]
  const compared = figure.aside ? [] : COMPARED.filter((pair) => pair.every((rig) => samples.has(rig)))
  return {
    ...figure,
    rigs: Object.fromEntries(rigs.map((rig) => [rig, summarize(values(rig)!)])),
    lost: Object.fromEntries(
      rigs.map((rig) => [rig, lost(rig)] as const).filter(([, share]) => share > NO_LOSS),
    ),
    ratios: Object.fromEntries(compared.map(([of, to]) => [`${of}/${to}`, ratio(values(of)!, values(to)!)])),
  }
}

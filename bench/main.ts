import { execFileSync } from 'node:child_process'
import { release } from 'node:os'
import { parseArgs } from 'node:util'
import { buildNetload, type Measure, measures } from './load.js'
import { kernelRig, routingRig } from './peers.js'
import { type ProgramCost, programCosts } from './programs.js'
import type { Rig } from './rig.js'
import { ratio, type Summary, summarize } from './stats.js'
import { weftRig } from './weft-rig.js'

// npm run bench -- [--quick] [--json] [--rounds N] [--seconds S]
//
// Every round measures every figure on every rig, one after the other, so that
// a machine that drifts drifts for all of them; ratios are taken round by round.
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
})
const rounds = Number(options.rounds ?? (options.quick ? 2 : 7))
const seconds = Number(options.seconds ?? (options.quick ? 1 : 3))

interface Figure {
  readonly measure: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly rigs: Record<string, Summary>
  /** Weft's figure over the peer's, round by round. */
  readonly ratios: Record<string, Summary>
}

const PEERS = ['kernel', 'routing'] as const

async function main(): Promise<void> {
  buildNetload()
  const programs = programCosts(options.quick ? 3 : 11)
  const rigs: Rig[] = []
  try {
    for (const make of [routingRig, kernelRig, weftRig]) rigs.push(make())
    const figures: Figure[] = []
    const samples = await interleave(rigs)
    for (const measure of measures) figures.push(figureOf(measure, samples))
    print({ kernel: release(), cpu: cpuModel(), rounds, seconds, figures, programs })
  } finally {
    for (const rig of rigs) rig.down()
  }
}

/** Samples by measure and rig, in round order. */
async function interleave(rigs: readonly Rig[]): Promise<Map<string, number[]>> {
  const samples = new Map<string, number[]>()
  for (const rig of rigs) await measures.at(-1)!.take(rig, 1) // warm: neighbours resolved, MACs learned
  for (let round = 0; round < rounds; round++) {
    for (const measure of measures) {
      for (const rig of rigs) {
        const key = `${measure.name} ${rig.name}`
        samples.set(key, [...(samples.get(key) ?? []), await measure.take(rig, seconds)])
      }
    }
    if (!options.json) process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
  return samples
}

function figureOf(measure: Measure, samples: ReadonlyMap<string, readonly number[]>): Figure {
  const of = (rig: string) => samples.get(`${measure.name} ${rig}`)!
  return {
    measure: measure.name,
    unit: measure.unit,
    better: measure.better,
    rigs: Object.fromEntries([...PEERS, 'weft'].map((rig) => [rig, summarize(of(rig))])),
    ratios: Object.fromEntries(PEERS.map((peer) => [peer, ratio(of('weft'), of(peer))])),
  }
}

interface Result {
  readonly kernel: string
  readonly cpu: string
  readonly rounds: number
  readonly seconds: number
  readonly figures: readonly Figure[]
  readonly programs: readonly ProgramCost[]
}

function print(result: Result): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const lines = [
    `Linux ${result.kernel}, ${result.cpu}; ${result.rounds} rounds of ${result.seconds} s each; median (min-max)`,
    '',
    '| figure | routing, no overlay | kernel bridge + VXLAN | Weft | Weft / kernel | Weft / routing |',
    '|---|---|---|---|---|---|',
    ...result.figures.map(({ measure, unit, better, rigs, ratios }) => {
      const cells = [rigs['routing']!, rigs['kernel']!, rigs['weft']!].map((s) => spread(s, 1))
      return `| ${measure}, ${unit} (${better} is better) | ${cells.join(' | ')} | ${spread(ratios['kernel']!, 2)} | ${spread(ratios['routing']!, 2)} |`
    }),
    '',
    '| program, one frame by BPF_PROG_TEST_RUN | ns, median (min-max) |',
    '|---|---|',
    ...result.programs.map(({ name, ns }) => `| ${name} | ${spread(ns, 0)} |`),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function spread({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}

function cpuModel(): string {
  return /Model name:\s*(.+)/.exec(execFileSync('lscpu', { encoding: 'utf8' }))?.[1] ?? 'unknown CPU'
}

await main()

import { release } from 'node:os'
import { busyShare, cpuModel } from './cpu.js'
import { buildFrameload, frames } from './frames.js'
import { buildNetload, packets, sameCore, tcp, twoCores, twoCoresIdle } from './load.js'
import type { Measure } from './measure.js'
import { type Options, parseOptions, USAGE } from './options.js'
import { bareRig, kernelNetfilterRig, kernelRig, routingRig } from './peers.js'
import { programCosts } from './programs.js'
import { formatResult, type Result } from './report.js'
import type { Rig, RigKind } from './rig.js'
import { interleave } from './run.js'
import { weftFastRig, weftSlowRig } from './weft-rig.js'

const kinds: readonly RigKind[] = [
  bareRig,
  routingRig,
  kernelNetfilterRig,
  kernelRig,
  weftSlowRig,
  weftFastRig,
]
const measures: readonly Measure[] = [tcp(1), tcp(4), packets, sameCore, twoCores, twoCoresIdle, frames]
const PROGRAMS = 'programs'
const CALM = 0.1 // share of the CPUs that other work may take

async function run(options: Options, signal: AbortSignal): Promise<Result> {
  const { rounds, seconds, only } = options
  const wanted = measures.filter(({ name }) => only.has(name))
  const possible = wanted.filter(({ lacking }) => lacking === undefined)
  buildNetload()
  buildFrameload()
  const busy = await busyShare()
  const take = (rigs: readonly Rig[]) =>
    interleave(rigs, { measures: possible, rounds, seconds, signal, progress: say })
  return {
    kernel: release(),
    cpu: cpuModel(),
    rounds,
    seconds,
    notes: [
      `CPUs busy before: ${(busy * 100).toFixed(0)} %${busy > CALM ? '; not calm, so read nothing into these figures' : ''}`,
      ...wanted.flatMap(({ name, lacking }) => (lacking ? [`${name} not measured: no ${lacking}`] : [])),
    ],
    figures: possible.length === 0 ? [] : await onRigs(options, signal, take),
    programs: only.has(PROGRAMS) ? programCosts(options.quick ? 3 : 11) : [],
  }
}

/** All rigs stand at once; whatever happens, none is left. */
async function onRigs<T>(
  { rigs: names }: Options,
  signal: AbortSignal,
  use: (rigs: readonly Rig[]) => Promise<T>,
): Promise<T> {
  const begun: RigKind[] = []
  try {
    const rigs: Rig[] = []
    for (const kind of kinds.filter(({ name }) => names.has(name))) {
      say(`building ${kind.name}`)
      begun.push(kind)
      rigs.push(await kind.up(signal))
      signal.throwIfAborted()
    }
    return await use(rigs)
  } finally {
    say('removing what was built')
    for (const kind of begun) removeWhole(kind)
  }
}

/** One that cannot be removed must not keep the others. */
function removeWhole(kind: RigKind): void {
  try {
    kind.down()
  } catch (err) {
    say(`${kind.name} is not removed: ${(err as Error).message}`)
    process.exitCode = 1
  }
}

/** Progress, so that standard output is the result alone. */
function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

async function main(): Promise<number> {
  const interrupted = new AbortController()
  let code = 1
  for (const [signal, exit] of Object.entries(SIGNALS))
    process.on(signal, () => {
      code = exit
      interrupted.abort()
    })
  let options: Options
  try {
    options = parseOptions(process.argv.slice(2), [...measures.map(({ name }) => name), PROGRAMS])
  } catch (err) {
    process.stderr.write(`bench: ${(err as Error).message}\n${USAGE}`)
    return 2
  }
  try {
    const result = await run(options, interrupted.signal)
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : formatResult(result))
    return 0
  } catch (err) {
    say(interrupted.signal.aborted ? 'interrupted' : (err as Error).message)
    return code
  }
}

const code = await main()
process.exitCode ||= code

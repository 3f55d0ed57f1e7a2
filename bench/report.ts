import type { ProgramCost } from './programs.js'
import { type RigName, rigNames } from './rig.js'
import type { Figure } from './run.js'
import type { Summary } from './stats.js'

export interface Result {
  readonly kernel: string
  readonly cpu: string
  readonly rounds: number
  readonly seconds: number
  readonly figures: readonly Figure[]
  readonly programs: readonly ProgramCost[]
  readonly notes: readonly string[]
}

/** Markdown, as docs/benchmarks.md has it. */
export function formatResult(result: Result): string {
  const { kernel, cpu, rounds, seconds, figures, programs, notes } = result
  return [
    `Linux ${kernel}, ${cpu}; rounds: ${rounds}, of ${seconds} s each; median (min-max)`,
    ...notes,
    ...figureTable(figures),
    ...ratioTable(figures),
    ...programTable(programs),
    '',
  ].join('\n')
}

function figureTable(figures: readonly Figure[]): string[] {
  const rigs = rigNames.filter((rig) => figures.some((figure) => figure.rigs[rig]))
  const row = (figure: Figure) => [label(figure), ...rigs.map((rig) => measured(figure, rig))]
  return table(['figure', ...rigs], figures.map(row))
}

function ratioTable(figures: readonly Figure[]): string[] {
  const pairs = [...new Set(figures.flatMap(({ ratios }) => Object.keys(ratios)))]
  const cell = (figure: Figure, pair: string) => {
    const summary = figure.ratios[pair]
    return summary ? spread(summary, 2) : ''
  }
  const row = (figure: Figure) => [label(figure), ...pairs.map((pair) => cell(figure, pair))]
  return pairs.length === 0 ? [] : table(['ratio', ...pairs], figures.filter(({ aside }) => !aside).map(row))
}

function programTable(programs: readonly ProgramCost[]): string[] {
  return table(
    ['program, one frame by BPF_PROG_TEST_RUN', 'ns'],
    programs.map(({ name, ns }) => [name, spread(ns, 0)]),
  )
}

function label({ name, unit, better }: Figure): string {
  return `${name}, ${unit} (${better} is better)`
}

function measured({ rigs, lost, unit }: Figure, rig: RigName): string {
  const summary = rigs[rig]
  if (summary === undefined) return ''
  const share = lost[rig]
  const loss = share === undefined ? '' : `; ${(share * 100).toFixed(1)} % lost`
  return spread(summary, unit.startsWith('ns') ? 0 : 1) + loss
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return ['', line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)]
}

function spread({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}

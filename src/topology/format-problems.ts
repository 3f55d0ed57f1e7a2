import type { Problem } from './problem.js'
import { withoutBom } from './source.js'
import { counted } from './words.js'

const MAX_SHOWN = 200
const FRAME_WIDTH = 120

/** What `weft validate` prints: one line a problem, code frames, and the closing count; ends in a newline. */
export function formatProblems(file: string, text: string, problems: readonly Problem[]): string {
  const lines = withoutBom(text).split('\n')
  const shown = problems.slice(0, MAX_SHOWN)
  const gutter = Math.max(5, String(shown.at(-1)?.line ?? 0).length + 1)
  const out: string[] = []
  for (const [index, problem] of shown.entries()) {
    out.push(`${file}:${problem.line}:${problem.column}  ${problem.code}  ${problem.message}`)
    // Problems of one line share the frame below the last of them.
    const last = shown[index + 1]?.line !== problem.line
    if (last || problem.hint) out.push(...frame(lines[problem.line - 1] ?? '', problem, gutter))
  }
  if (problems.length > shown.length) out.push(`and ${problems.length - shown.length} more`)
  if (problems.length > 0) out.push(`${counted(problems.length, 'error')} in ${file}. Nothing was sent.`)
  return out.map((line) => `${line}\n`).join('')
}

function frame(source: string, problem: Problem, gutter: number): string[] {
  const line = source.replace(/\r$/, '').replace(/\p{Cc}|\p{Cf}/gu, ' ')
  const offset = problem.column - 1
  const from = offset + problem.length <= FRAME_WIDTH ? 0 : Math.max(0, offset - 40)
  const cut = line.slice(from, from + FRAME_WIDTH)
  if (cut.trim() === '') return problem.hint ? [`${' '.repeat(gutter)} | ${problem.hint}`] : []

  const length = Math.max(1, Math.min(problem.length, FRAME_WIDTH - (offset - from)))
  const code = `${from > 0 ? '…' : ''}${cut}${line.length > from + FRAME_WIDTH ? '…' : ''}`
  const caret = `${' '.repeat(offset - from + (from > 0 ? 1 : 0))}${'^'.repeat(length)}`
  return [
    `${String(problem.line).padStart(gutter)} | ${code}`,
    `${' '.repeat(gutter)} | ${caret}${problem.hint ? ` ${problem.hint}` : ''}`,
  ]
}

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Summary } from './stats.js'

export interface ProgramCost {
  readonly name: string
  /** Nanoseconds a run; about 15 of them are the harness. */
  readonly ns: Summary
}

/** Runs in a process of its own, which leaves its network namespace for good. */
export function programCosts(samples: number): ProgramCost[] {
  const script = fileURLToPath(new URL('program-costs.ts', import.meta.url))
  const out = execFileSync(process.execPath, ['--import', 'tsx', script, String(samples)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(out)
}

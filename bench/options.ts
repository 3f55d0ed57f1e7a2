import { parseArgs } from 'node:util'
import { type RigName, rigNames } from './rig.js'

export const USAGE = `npm run bench -- [--quick] [--json] [--rounds N] [--seconds S] [--only MEASURE,...] [--rigs RIG,...]
`

export interface Options {
  readonly quick: boolean
  readonly json: boolean
  readonly rounds: number
  readonly seconds: number
  readonly only: ReadonlySet<string>
  readonly rigs: ReadonlySet<RigName>
}

/** @throws Error that says what to write instead */
export function parseOptions(args: readonly string[], measures: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      rigs: { type: 'string' },
    },
  })
  const { quick, json } = values
  return {
    quick,
    json,
    rounds: natural('--rounds', values.rounds, quick ? 2 : 5),
    seconds: natural('--seconds', values.seconds, quick ? 1 : 2),
    only: chosen('--only', values.only, measures),
    rigs: chosen('--rigs', values.rigs, rigNames),
  }
}

function natural(option: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${option} takes a whole number from 1 up, not ${text}`)
  return value
}

function chosen<T extends string>(option: string, text: string | undefined, all: readonly T[]): Set<T> {
  const names = text?.split(',') ?? all
  for (const name of names)
    if (!all.some((known) => known === name))
      throw new Error(`${option}: no ${name}; there are ${all.join(', ')}`)
  return new Set(all.filter((known) => names.includes(known)))
}

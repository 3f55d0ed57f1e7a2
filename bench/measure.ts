import type { Rig } from './rig.js'

export interface FigureName {
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  /** Of the generator: says nothing of a rig. */
  readonly aside?: true
}

/** One way to load a rig, and the figures that come out of it. */
export interface Measure<Name extends string = string> {
  readonly name: string
  readonly figures: readonly (FigureName & { readonly name: Name })[]
  /** What this machine has not, without which it cannot be taken. */
  readonly lacking?: string | undefined
  fits(rig: Rig): boolean
  take(rig: Rig, seconds: number, signal: AbortSignal): Promise<Sample<Name>>
}

export interface Sample<Name extends string = string> {
  readonly values: Readonly<Record<Name, number>>
  /** Share of what was sent that did not arrive, where it is counted. */
  readonly lost?: number
}

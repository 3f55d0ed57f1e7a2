import type { Finding, Problem } from './problem.js'

/** Text of a topology with the places of its keys and values; opaque outside this folder. */
export interface Document {
  readonly text: string
}

/** Gives findings their line and column, in file order, each once. */
export function placeFindings(_document: Document, _findings: readonly Finding[]): Problem[] {
  throw new Error('being written')
}

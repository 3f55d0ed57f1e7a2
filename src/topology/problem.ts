import type { ErrorCode } from '../common/errors.js'

/** Keys and list indices from the root of the file: `['networks', 'red', 'ports', 0]`. */
export type Path = readonly (string | number)[]

/** Offsets in the text, end exclusive. */
export type Span = readonly [number, number]

/** Something wrong with a topology, by path: what checks report before it is placed in the text. */
export interface Finding {
  readonly code: ErrorCode
  readonly path: Path
  /** Complete sentence without the position; starts with the dotted path where there is one. */
  readonly message: string
  /** What would help, as `did you mean "multicast"?`. */
  readonly hint?: string
  /** Which part of the text is meant: the key, the value (default), or the mapping that lacks the key. */
  readonly at?: 'key' | 'value' | 'parent'
  /** Offsets in the text, end exclusive, where the path does not say it. */
  readonly span?: Span
  /** The name that was looked up in vain. */
  readonly refers?: Reference
}

export interface Reference {
  readonly kind: 'node' | 'node_set' | 'network' | 'port' | 'endpoint' | 'remote' | 'segment' | 'bridge'
  readonly name: string
}

/** A finding with its place in the text. */
export interface Problem extends Finding {
  /** 1-based. */
  readonly line: number
  /** 1-based, in UTF-16 units. */
  readonly column: number
  /** Of the marked text, within its line; at least 1. */
  readonly length: number
}

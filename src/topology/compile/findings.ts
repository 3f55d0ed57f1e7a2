import type { ErrorCode } from '../../common/errors.js'
import type { Finding, Path, Reference } from '../problem.js'
import { didYouMean, guess, pathText, show } from '../words.js'

/** Guessing costs time with the square of a hostile file; the first few are what people read. */
const MAX_GUESSES = 50

const nouns: Record<Reference['kind'], string> = {
  node: 'node',
  node_set: 'node set',
  network: 'network',
  port: 'port',
  endpoint: 'endpoint',
  remote: 'remote',
  segment: 'segment',
  bridge: 'bridge',
}

/** Collects what is wrong while compilation goes on. */
export class Findings {
  readonly items: Finding[] = []
  private guesses = 0

  add(code: ErrorCode, path: Path, text: string, more: Pick<Finding, 'hint' | 'at' | 'refers'> = {}): void {
    this.items.push({ code, path, message: `${pathText(path)}: ${text}`, ...more })
  }

  /** A name that nothing in the file has. */
  unknown(kind: Reference['kind'], name: string, path: Path, candidates: Iterable<string>, where = ''): void {
    const guessing = this.guesses++ < MAX_GUESSES
    const hint = guessing ? didYouMean(guess(name, [...candidates])) : undefined
    const text = `there is no ${nouns[kind]} ${show(name)}${where}`
    this.add('W-1100', path, text, { ...(hint ? { hint } : {}), refers: { kind, name } })
  }
}

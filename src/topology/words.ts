import { closest, distance } from 'fastest-levenshtein'
import type { Path } from './problem.js'

const SHOWN = 60

// C1 controls, line separators and direction marks: they would garble the line they are printed in.
const unprintable = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** A value as a person may read it on one line: quoted, escaped and cut. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value !== 'string') return scalarText(value)
  const cut = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value
  return JSON.stringify(cut).replace(unprintable, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** What a value is, for "must be a list, not …". */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return `the text ${show(value)}`
  return typeof value === 'number' ? `the number ${value}` : scalarText(value)
}

function scalarText(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'this value'
}

/** `networks.red.ports[0].node`; keys that are no plain word are quoted. */
export function pathText(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (!/^[\w-]{1,64}$/.test(part)) text += `[${show(part)}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}

/** The candidate that was probably meant; none when even the nearest is far off. */
export function guess(written: unknown, candidates: readonly string[]): string | undefined {
  if (typeof written !== 'string' || written.length > 64 || candidates.length === 0) return undefined
  const nearest = closest(written.toLowerCase(), [...candidates])
  const allowed = Math.max(1, Math.floor(Math.max(written.length, nearest.length) / 3))
  if (distance(written.toLowerCase(), nearest.toLowerCase()) <= allowed) return nearest
  if (sorted(written) === sorted(nearest)) return nearest // letters changed places: bleu, blue
  return written.length < 4 ? undefined : candidates.find((candidate) => candidate.includes(written))
}

function sorted(word: string): string {
  return word.toLowerCase().split('').sort().join('')
}

export function didYouMean(candidate: string | undefined): string | undefined {
  return candidate === undefined ? undefined : `did you mean ${show(candidate)}?`
}

/** `a, b and c`, cut after eight. */
export function listed(words: readonly string[]): string {
  const shown = words.length > 8 ? [...words.slice(0, 8), `${words.length - 8} more`] : words
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

/** `1 error`, `2 errors`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

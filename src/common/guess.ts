import { closest, distance } from 'fastest-levenshtein'

/** The known word that was probably meant; `undefined` when none is close enough to be a typing error. */
export function guess(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const best = closest(word, known)
  const length = Math.max(word.length, best.length)
  const allowed = Math.max(length > 3 ? 2 : 1, Math.floor(length / 3)) // two swapped letters count as two
  return distance(word, best) <= allowed ? best : undefined
}

/** `, did you mean "x"?`, or nothing: to be put behind an error's message. */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = guess(word, known)
  return best === undefined ? '' : `, did you mean "${best}"?`
}

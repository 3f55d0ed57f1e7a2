import { closest, distance } from 'fastest-levenshtein'

/** The known word that was probably meant; `undefined` when none is close enough to be a typing error. */
export function guess(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const best = closest(word, known)
  const allowed = Math.max(1, Math.floor(Math.max(word.length, best.length) / 3))
  return distance(word, best) <= allowed ? best : undefined
}

/** `, did you mean "x"?`, or nothing: to be put behind an error's message. */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = guess(word, known)
  return best === undefined ? '' : `, did you mean "${best}"?`
}

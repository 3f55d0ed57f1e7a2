import { WeftError } from '../../common/errors.js'
import type { Failure } from '../../rpc/records.js'

/** An object that could not be programmed, as it is acknowledged and shown. */
export function failureOf(thrown: unknown, what: string): Failure {
  const { code, message, next } = WeftError.from(thrown)
  return { code, what, message, next: next ?? '' }
}

/** Whether two lists tell the user the same. */
export function sameFailures(a: readonly Failure[], b: readonly Failure[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ code, what, message }, i) => {
      const other = b[i]!
      return code === other.code && what === other.what && message === other.message
    })
  )
}

import { parseDuration } from '../../common/duration.js'

/** Milliseconds of a duration whose text the schema has checked. */
export function milliseconds(checked: string): number {
  return parseDuration(checked) as number
}

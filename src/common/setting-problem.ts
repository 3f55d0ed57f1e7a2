import type { z } from 'zod'

type Issue = z.core.$ZodIssue

const kinds: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  array: 'a list',
}

/**
 * What is wrong with a setting, in the words of whoever gave it: `--resync-ms soon: give a number`.
 *
 * @param spelling - the setting as it was given: a flag, a variable, or a place and key of a file
 */
export function settingProblem(spelling: string, value: unknown, issue: Issue): string {
  const part = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
    value,
  )
  const shown = typeof part === 'string' ? part : JSON.stringify(part)
  return `${spelling} ${shown === '' ? '""' : shown}: give ${wanted(issue)}`
}

// A check's own text says what is wanted: `a path that starts and ends with /`.
function wanted(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? issue.expected
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(', ')}`
    case 'too_small':
      return `at least ${amount(issue.minimum, issue.origin)}`
    case 'too_big':
      return `at most ${amount(issue.maximum, issue.origin)}`
    case 'invalid_format':
      if (issue.format === 'url') return 'a URL, as http://127.0.0.1:2379'
      return issue.format === 'starts_with'
        ? `a path that starts with ${(issue as { prefix?: string }).prefix}`
        : issue.message
    default:
      return issue.message
  }
}

function amount(bound: number | bigint, of: string): string {
  const unit = { string: 'character', array: 'value' }[of]
  if (unit === undefined) return String(bound)
  return `${bound} ${unit}${Number(bound) === 1 ? '' : 's'}`
}

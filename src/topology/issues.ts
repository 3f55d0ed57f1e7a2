import type { z } from 'zod'
import { isLaterKey, isLaterValue } from './later.js'
import type { Finding, Path } from './problem.js'
import { childOf, keysAt, variantWith } from './schema/keys.js'
import { didYouMean, guess, kindOf, listed, pathText, show } from './words.js'

export type Issue = z.core.$ZodIssue

/** What a schema issue says to a person; `data` is what was checked. */
export function findingsOf(issue: Issue, data: unknown): Finding[] {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(data, path, key))
  if (issue.code === 'invalid_key') return [badName(issue, path)]
  const value = valueAt(data, path)
  if (value === undefined) {
    return [{ code: 'W-1001', path, message: `${pathText(path)} is missing`, at: 'parent' }]
  }
  if (isLaterValue(path, value)) return [notSupported(path, `${pathText(path)}: ${show(value)}`, 'value')]
  const branch = issue.code === 'invalid_union' ? meantBranch(issue, path) : undefined
  if (branch) return branch.flatMap((inner) => findingsOf(inner, data))
  return [valueFinding(issue, path, value)]
}

export function valueAt(data: unknown, path: Path): unknown {
  return path.reduce(childOf, data)
}

function unknownKey(data: unknown, parent: Path, key: string): Finding {
  const path = [...parent, key]
  if (isLaterKey(parent, key)) return notSupported(path, pathText(path), 'key')
  const present = valueAt(data, parent)
  const candidates = keysAt(data, parent).filter((known) => childOf(present, known) === undefined)
  const variant = variantWith(data, parent, key)
  const hint = variant ? `only with \`${variant}\`` : didYouMean(guess(key, candidates))
  return {
    code: 'W-1002',
    path,
    message: `${pathText(path)}: no such key`,
    at: 'key',
    ...(hint ? { hint } : {}),
  }
}

function notSupported(path: Path, what: string, at: 'key' | 'value'): Finding {
  return { code: 'W-1108', path, message: `${what} is not supported by this version`, at }
}

function badName(issue: z.core.$ZodIssueInvalidKey, path: Path): Finding {
  const key = path.at(-1)
  const reason = issue.issues[0]
  const where = pathText(path.slice(0, -1))
  if (reason?.code === 'too_big') {
    const message = `${where}: ${show(key)} has ${String(key).length} characters; ${reason.message} has at most ${reason.maximum}`
    return { code: 'W-1107', path, message, at: 'key' }
  }
  return {
    code: 'W-1006',
    path,
    message: `${where}: ${show(key)} is not ${reason?.message ?? 'a name'}`,
    at: 'key',
  }
}

/**
 * The branch of a union that fits the value as a whole, when only parts of it are
 * wrong: for `[1]` against "a list of names or a mapping" the list.
 */
function meantBranch(issue: z.core.$ZodIssueInvalidUnion, path: Path): Issue[] | undefined {
  const fitting = issue.errors.filter((branch) => branch.every((inner) => inner.path.length > 0))
  const [only] = fitting
  if (!only || fitting.length > 1) return undefined
  return only.map((inner) => ({ ...inner, path: [...path, ...inner.path] }) as Issue)
}

function valueFinding(issue: Issue, path: Path, value: unknown): Finding {
  const where = path.length === 0 ? 'the file ' : `${pathText(path)}: `
  const found = (code: Finding['code'], text: string, hint?: string): Finding => ({
    code,
    path,
    message: `${where}${text}`,
    ...(hint ? { hint } : {}),
  })
  switch (issue.code) {
    case 'invalid_type':
      return found('W-1005', typeText(issue, value), unquoted(issue, value))
    case 'invalid_value':
      return notOneOf(issue.values.map(String), value, found)
    case 'too_big':
    case 'too_small':
      return outOfRange(issue, value, found)
    case 'invalid_union':
      if (issue.discriminator !== undefined) return notOneOf(discriminatorOptions(issue), value, found)
      return found('W-1006', `${show(value)} is not ${issue.message}`)
    default:
      return found('W-1006', `${show(value)} is not ${issue.message}`)
  }
}

type Found = (code: Finding['code'], text: string, hint?: string) => Finding

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a whole number',
  int: 'a whole number',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  boolean: 'true or false',
}

function typeText(issue: z.core.$ZodIssueInvalidType, value: unknown): string {
  const expected = kinds[issue.expected] ?? 'something else'
  if (value === null) return `must be ${expected}, but is empty`
  if (isAuthored(issue)) return `${show(value)} is not ${issue.message}`
  return `must be ${expected}, not ${kindOf(value)}`
}

function unquoted(issue: z.core.$ZodIssueInvalidType, value: unknown): string | undefined {
  const number = issue.expected === 'number' && typeof value === 'string' && /^\d+$/.test(value)
  return number ? 'write it without quotes' : undefined
}

/** Whether the schema says in its own words what it wants. */
function isAuthored({ message }: Issue): boolean {
  return !message.startsWith('Invalid input')
}

function notOneOf(allowed: readonly string[], value: unknown, found: Found): Finding {
  const text = allowed.length === 1 ? `not ${allowed[0]}` : `not one of ${listed(allowed)}`
  return found('W-1003', `${show(value)} is ${text}`, didYouMean(guess(value, allowed)))
}

function outOfRange(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall, value: unknown, found: Found) {
  const big = issue.code === 'too_big'
  const bound = String(big ? issue.maximum : issue.minimum)
  if (issue.origin === 'string') {
    if (!big) return found('W-1006', `must be ${issue.message}, not an empty text`)
    const { length } = String(value)
    return found('W-1107', `${show(value)} has ${length} characters; ${issue.message} has at most ${bound}`)
  }
  if (issue.origin === 'array') {
    return found(big ? 'W-1111' : 'W-1004', `needs at ${big ? 'most' : 'least'} ${issue.message}`)
  }
  // Past 2^53 the bound is not the field's but that of exact numbers.
  const noun = issue.message.startsWith('the ') ? `, ${issue.message}` : ''
  return found('W-1004', `${show(value)} is ${big ? 'over' : 'under'} ${bound}${noun}`)
}

/** The values that a wrong discriminator could have had. */
export function discriminatorOptions(issue: Issue): string[] {
  return issue.code === 'invalid_union' && 'options' in issue ? (issue.options as unknown[]).map(String) : []
}

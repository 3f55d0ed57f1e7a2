import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { formatProblems, loadTopology } from './index.js'

const good = readFileSync(new URL('../../topologies/bridge-unicast.yaml', import.meta.url), 'utf8')

/** FUZZ_RUNS=20000 for a long campaign. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 200)

/** Pieces of text that mean something to YAML, to the schema, or to JavaScript. */
const pieces = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  '- ',
  '\n',
  '\t',
  '  ',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '!t ',
  '|',
  '>',
  '? ',
  ',',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '\0',
  '\r',
  '\ufeff',
  '<<: ',
  '__proto__: ',
  'constructor: ',
  'null',
  '~',
  '.nan',
  '-.inf',
  '0x10',
  '1e999',
  '010.1.1.1/24',
  '::ffff:1.2.3.4/96',
  'true',
  '-1',
  '\u2028',
  '\ud800',
)

const edit = fc.record({
  at: fc.nat(good.length),
  remove: fc.nat(40),
  insert: fc.oneof(pieces, fc.string({ maxLength: 8 })),
})

/** Never throws, and what it says has a place in the text and no words of the inside. */
function check(text: string): void {
  const { problems, desired, lab } = loadTopology(text, { lab: true })

  expect(desired === undefined).toBe(problems.length > 0)
  expect(lab === undefined).toBe(problems.length > 0)
  const lines = text.replace(/^\ufeff/, '').split('\n')
  let last = 0
  for (const { line, column, length, message } of problems) {
    expect(line).toBeGreaterThanOrEqual(Math.max(1, last))
    expect(line).toBeLessThanOrEqual(lines.length)
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1)
    expect(length).toBeGreaterThanOrEqual(1)
    expect(message).not.toMatch(/undefined|\[object|Invalid input|NaN is/)
    last = line
  }
  expect(formatProblems('f.yaml', text, problems).endsWith('\n')).toBe(problems.length > 0)
}

describe('loadTopology', { timeout: 60_000 + RUNS * 100 }, () => {
  it('takes any edit of a good file', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
        let text = good
        for (const { at, remove, insert } of edits)
          text = text.slice(0, at) + insert + text.slice(at + remove)
        check(text)
      }),
      { numRuns: RUNS },
    )
  })

  it('takes any value in place of any other', () => {
    const paths = pathsOf(parse(good))
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>(
        'host0',
        'red',
        10000,
        0,
        -1,
        1.5,
        2 ** 60,
        '',
        'x'.repeat(300),
        null,
        [],
        {},
        ['host0', 'host0'],
      ),
      fc.constantFrom<unknown>('10.0.0.1/24', '::/0', '0.0.0.0', 'ff02::1', '172.16.1.101/24', {
        node_set: 'constructor',
      }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...paths), values), { minLength: 1, maxLength: 4 }),
        (swaps) => {
          const data: unknown = parse(good)
          for (const [path, value] of swaps) put(data, path, value)
          check(stringify(data))
          check(JSON.stringify(data))
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: fc.oneof(pieces, fc.string({ maxLength: 3 })) }), check),
      {
        numRuns: RUNS,
      },
    )
  })
})

type Path = readonly (string | number)[]

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at]
  const children = Array.isArray(value) ? value.entries() : Object.entries(value)
  return [at, ...[...children].flatMap(([key, child]) => pathsOf(child, [...at, key]))].filter(
    ({ length }) => length,
  )
}

function put(data: unknown, path: Path, value: unknown): void {
  let target = data as Record<string | number, unknown>
  for (const part of path.slice(0, -1)) {
    const next = target[part]
    if (typeof next !== 'object' || next === null) return
    target = next as Record<string | number, unknown>
  }
  target[path.at(-1) ?? ''] = value
}

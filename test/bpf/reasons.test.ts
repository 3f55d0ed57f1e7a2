import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { causedIn, uncaused } from './reasons.js'

const root = join(import.meta.dirname, '../..')
const sources = ['bpf/tc', 'bpf/lib'].flatMap((dir) =>
  readdirSync(join(root, dir)).map((name) => readFileSync(join(root, dir, name), 'utf8')),
)
const given = new Set(
  sources.flatMap((text) => text.match(/\b(?:FORWARD|ANSWER|TAKE|DROP)_[A-Z_]+\b/g) ?? []),
)

test('every reason that the programs give is caused in some test', () => {
  const caused = Object.values(causedIn).flatMap((row) => Object.values(row).flat())
  expect([...new Set([...caused, ...Object.keys(uncaused)])].sort()).toEqual([...given].sort())
})

test('every file that causes reasons is a test, and holds itself to them', () => {
  for (const file of Object.keys(causedIn)) {
    const text = readFileSync(join(import.meta.dirname, `${file}.test.ts`), 'utf8')
    expect(text).toContain(`expectReasons(rig, '${file}')`)
  }
})

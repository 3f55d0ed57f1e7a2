import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { formatProblems, loadTopology, topologyJsonSchema } from './index.js'

// One broken file beside the exact text that a person gets for it. UPDATE_GOLDEN=1 writes the texts anew.
const folder = new URL('../../test/golden/', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))

/** Words of the libraries, and of the language, that mean nothing to a person who writes YAML. */
const internal = /zod|invalid_|unrecognized|undefined|\bnull\b|NaN|\[object|regex|Invalid input|expected/i

describe('broken files', () => {
  it('are at least twenty', () => {
    expect(files.length).toBeGreaterThanOrEqual(20)
  })

  it.each(files)('%s gets the errors on record', (file) => {
    const text = readFileSync(new URL(file, folder), 'utf8')
    const golden = new URL(file.replace(/yaml$/, 'txt'), folder)

    const { problems, desired } = loadTopology(text, { lab: true })
    const output = formatProblems(file, text, problems)

    expect(desired).toBeUndefined()
    expect(output).not.toMatch(internal)
    if (process.env['UPDATE_GOLDEN'] || !existsSync(golden)) writeFileSync(golden, output)
    expect(output).toBe(readFileSync(golden, 'utf8'))
  })
})

describe('files that come with Weft', () => {
  const topologies = new URL('../../topologies/', import.meta.url)

  it.each(readdirSync(topologies).filter((file) => file.endsWith('.yaml')))('%s has no errors', (file) => {
    const text = readFileSync(new URL(file, topologies), 'utf8')

    expect(formatProblems(file, text, loadTopology(text).problems)).toBe('')
    expect(formatProblems(file, text, loadTopology(text, { lab: true }).problems)).toBe('')
  })

  it('include the schema for editors as it is generated', () => {
    const text = readFileSync(new URL('topology.schema.json', topologies), 'utf8')

    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(topologyJsonSchema())))
  })
})

import { describe, expect, it } from 'vitest'
import { formatProblems, loadTopology, parseTopology } from './index.js'

const head = 'apiVersion: weft/v1\nkind: Topology\nname: net\n'

function codes(text: string): string[] {
  return parseTopology(text).problems.map(({ code }) => code)
}

describe('a file from anyone', () => {
  const mebibyte = 1024 * 1024

  it.each([
    ['over 1 MiB', `${head}description: ${'a'.repeat(mebibyte)}`, 'W-1008'],
    ['over 1 MiB in bytes, not in characters', `${head}description: ${'é'.repeat(mebibyte / 2)}`, 'W-1008'],
    ['100,000 lists deep', `${head}nodes: ${'['.repeat(100_000)}`, 'W-1010'],
    ['100,000 mappings deep', `${head}nodes: ${'{a: '.repeat(100_000)}`, 'W-1010'],
    ['100,000 dashes deep', `${head}nodes:\n${'- '.repeat(100_000)}`, 'W-1010'],
    [
      '1,000 indentations deep',
      Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
      'W-1010',
    ],
    ['full of aliases', `${head}a: &a x\nnodes: [${'*a,'.repeat(101)}]`, 'W-1010'],
    ['full of commas', `${head}nodes: [${','.repeat(mebibyte / 2)}`, 'W-1000'],
  ])('is refused when it is %s', (_, text, code) => {
    const found = codes(text)

    expect(found[0]).toBe(code)
    expect(found.length).toBeLessThanOrEqual(100)
  })

  it('is not multiplied by aliases to aliases', () => {
    const bomb = Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${i ? `*a${i - 1},`.repeat(9) : 'x'}]`)

    expect(codes(head + bomb.join('\n'))).toEqual(['W-1010'])
  })

  it('cannot reach the prototype of objects', () => {
    const { problems } = parseTopology(
      `${head}__proto__: { polluted: 1 }\nnodes: { __proto__: { polluted: 1 } }`,
    )

    expect(problems.map(({ line, code }) => `${line} ${code}`)).toEqual(['4 W-1006', '5 W-1006'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('means the same under a %YAML 1.1 line', () => {
    const text = `%YAML 1.1\n---\n${head}description: no\n`

    expect(parseTopology(text)).toMatchObject({ problems: [], topology: { description: 'no' } })
  })

  it('may have a byte order mark and CRLF, and be JSON', () => {
    const json = JSON.stringify({ apiVersion: 'weft/v1', kind: 'Topology', name: 'net' })

    expect(codes(`\ufeff${head.replaceAll('\n', '\r\n')}`)).toEqual([])
    expect(codes(json)).toEqual([])
  })

  it('prints no more than 200 problems', () => {
    const text = `${head}networks:\n${Array.from({ length: 300 }, (_, i) => `  n${i}: 1\n`).join('')}`

    const output = formatProblems('net.yaml', text, loadTopology(text).problems)

    expect(output).toMatch(/\nand 100 more\n300 errors in net.yaml. Nothing was sent.\n$/)
  })
})

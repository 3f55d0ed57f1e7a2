import { Composer, Lexer, type ParsedNode, Parser, type YAMLError } from 'yaml'
import type { Finding, Span } from './problem.js'
import { yamlMessage } from './yaml-words.js'

export interface YamlRead {
  /** Null when the text holds no value. */
  readonly contents: ParsedNode | null
  readonly findings: readonly Finding[]
}

/** Of mappings and lists in each other. */
export const MAX_DEPTH = 64

/** A file of 1 MiB full of one-line entries has some 450,000. */
const MAX_LEXEMES = 600_000

/** People mend the first few; a hostile file has one for each of its bytes. */
const MAX_ERRORS = 100

/**
 * Reads one YAML document and says what is wrong with it. Never throws, and
 * takes seconds at most: `parseDocument` itself recurses without bound and
 * makes an Error of every wrong byte.
 */
export function readYaml(text: string): YamlRead {
  const tooMuch = measure(text)
  if (tooMuch) return { contents: null, findings: [tooMuch] }
  const log = new ErrorLog()
  try {
    return { contents: compose(text, log), findings: log.findings }
  } catch (thrown) {
    if (thrown instanceof Enough) return { contents: null, findings: log.findings }
    if (!(thrown instanceof Error)) throw thrown
    const what = thrown instanceof RangeError ? 'is nested too deep' : 'cannot be read as YAML'
    return { contents: null, findings: [complexity(0, `the file ${what}`)] }
  }
}

/** Counts in one pass, without recursion, what the parser would go down into. */
function measure(text: string): Finding | undefined {
  let lexemes = 0
  let offset = 0
  let flow = 0
  let inLine = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') flow++
    else if ((lexeme === ']' || lexeme === '}') && flow > 0) flow--
    else if (lexeme === '-' || lexeme === '?') inLine++
    else if (lexeme.endsWith('\n')) inLine = 0
    if (flow > MAX_DEPTH || inLine > MAX_DEPTH) {
      return complexity(offset, `the file has more than ${MAX_DEPTH} levels of nesting`)
    }
    if (++lexemes > MAX_LEXEMES) return complexity(offset, 'the file has too many words and signs')
    // The lexer puts marks of its own between the pieces of text.
    if (!isMark(lexeme)) offset += lexeme.length
  }
  return undefined
}

function isMark(lexeme: string): boolean {
  return lexeme === '\u0002' || lexeme === '\u0018' || lexeme === '\u001f'
}

function compose(text: string, log: ErrorLog): ParsedNode | null {
  const composer = new Composer({
    schema: 'core', // also under a %YAML 1.1 line, where `no` would be false
    uniqueKeys: false, // the tree is checked for that in linear time
  })
  // Composer keeps all errors until a document ends, and has no option to stop.
  Object.assign(composer, { onError: log.add })
  let documents = 0
  const composed = []
  for (const token of new Parser().parse(text)) {
    if (token.type === 'document' && ++documents > 1) {
      log.add(token.offset, 'MULTIPLE_DOCS', '')
      break
    }
    if (token.type === 'error') log.add(token, 'UNEXPECTED_TOKEN', token.message)
    else composed.push(...composer.next(token))
  }
  composed.push(...composer.end(true, text.length))
  const [first] = composed
  for (const error of first?.errors ?? []) log.add(error.pos, error.code, error.message)
  return first?.contents ?? null
}

/** Thrown by the log, caught in `readYaml`. */
class Enough extends Error {}

type ErrorSource = number | readonly number[] | { readonly offset: number; readonly source?: string }

class ErrorLog {
  readonly findings: Finding[] = []

  // Warnings too: what YAML would pass over, as a tag it does not know, is wrong in a topology.
  readonly add = (source: ErrorSource, code: YAMLError['code'], message: string): void => {
    if (this.findings.length >= MAX_ERRORS) throw new Enough()
    const text = yamlMessage({ code, message })
    this.findings.push({
      code: code === 'RESOURCE_EXHAUSTION' ? 'W-1010' : 'W-1000',
      path: [],
      message: text,
      span: spanOf(source),
    })
  }
}

function spanOf(source: ErrorSource): Span {
  if (typeof source === 'number') return [source, source + 1]
  if ('offset' in source) return [source.offset, source.offset + (source.source?.length ?? 1)]
  const [start = 0, end = start + 1] = source
  return [start, end]
}

function complexity(offset: number, message: string): Finding {
  return { code: 'W-1010', path: [], message, span: [offset, offset + 1] }
}

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isMap, isScalar, parseDocument } from 'yaml'
import { WeftError } from '../common/errors.js'
import type { DesiredTopology } from '../model/desired-state.js'
import { formatProblems, type LabSpec, loadTopology } from '../topology/index.js'
import { labDirectory } from './names.js'

/** A topology file that has been checked, with its lab. */
export interface LabSource {
  /** Path, for messages and the record. */
  readonly file: string
  readonly text: string
  readonly desired: DesiredTopology
  readonly lab: LabSpec
}

/** Reads a file with a lab. @throws WeftError with all its problems, or W-1007. */
export async function readLabSource(file: string): Promise<LabSource> {
  try {
    return parseLabSource(resolve(file), await readFile(file, 'utf8'))
  } catch (err) {
    if (err instanceof WeftError) throw err
    throw new WeftError('W-1007', `cannot read ${file}: ${(err as Error).message}`, { cause: err })
  }
}

/** As {@link readLabSource}, of text that is there already; `name` takes the place of the name in it. */
export function parseLabSource(file: string, given: string, name?: string): LabSource {
  const text = name === undefined ? given : withName(given, name)
  const { desired, lab, problems } = loadTopology(text, { lab: true })
  const first = problems[0]
  if (first || !desired || !lab)
    throw new WeftError(first?.code ?? 'W-5000', formatProblems(file, text, [...problems]))
  return { file, text, desired, lab }
}

// Only the name's own characters change: places in the text, and comments, stay.
function withName(text: string, name: string): string {
  const { contents } = parseDocument(text)
  const old = isMap(contents) ? contents.get('name', true) : undefined
  if (!isScalar(old) || !old.range) return text // checking it says what is wrong
  return text.slice(0, old.range[0]) + name + text.slice(old.range[1])
}

/** Keeps a copy with the lab: the file may change, what was deployed does not. */
export async function keepDeployedFile({ text, desired }: LabSource): Promise<void> {
  await writeFile(deployedFile(desired.name), text)
}

/** What a running lab was built from. */
export async function readDeployedFile(lab: string): Promise<LabSource> {
  return readLabSource(deployedFile(lab))
}

function deployedFile(lab: string): string {
  return `${labDirectory(lab)}/topology.yaml`
}

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { WeftError } from '../common/errors.js'
import { labDirectory, labRoot } from './names.js'
import { isRunning, type ProcessIdentity } from './process.js'

/**
 * What is written down about a lab, in `lab.json`. Destroying does not depend
 * on it; the CLI finds the controller by it.
 */
export interface LabRecord {
  readonly name: string
  readonly state: 'deploying' | 'running'
  readonly created_at: string
  /** Of the `weft lab deploy` that made it. */
  readonly deployed_by: ProcessIdentity
  /** The topology file as given. */
  readonly file: string
  readonly namespaces: readonly string[]
  readonly hosts: readonly { readonly name: string; readonly namespace: string }[]
  /** Each where it is now: it may have moved. */
  readonly endpoints: readonly RecordedEndpoint[]
  /** Devices that are ports of a network, with or without an endpoint. */
  readonly ports: readonly {
    readonly node: string
    readonly interface: string
    readonly network: string
  }[]
  /** The controller's: path of a unix socket, and a loopback URL. */
  readonly http: { readonly socket: string; readonly url: string }
  readonly etcd_url: string
  /** Present while the lab holds /sys/kernel/rcu_expedited at 1. */
  readonly rcu_expedited_was?: string
}

export interface RecordedEndpoint {
  readonly name: string
  readonly namespace: string
  readonly node: string
  readonly interface: string
  /** Bridge of the node that it is behind. */
  readonly bridge?: string
  readonly network: string
  readonly mac: string
  readonly addresses: readonly string[]
  readonly mtu: number
}

/** @throws WeftError W-4003 when the lab's directory is there already: it doubles as a lock. */
export async function claimDirectory(lab: string): Promise<void> {
  await mkdir(labRoot, { recursive: true })
  try {
    await mkdir(labDirectory(lab), { mode: 0o755 })
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err
    throw await alreadyThere(lab)
  }
  for (const part of ['bpf', 'log', 'process']) await mkdir(`${labDirectory(lab)}/${part}`)
}

/** Gives back a claim of which nothing came. */
export async function releaseDirectory(lab: string): Promise<void> {
  await rm(labDirectory(lab), { recursive: true })
}

/** W-4003, for a lab that stands in the way. */
export async function alreadyThere(lab: string): Promise<WeftError> {
  const record = await readRecord(lab)
  let what = `remains of lab ${lab} are in the way`
  if (record?.state === 'running') what = `lab ${lab} is already running`
  else if (record && isRunning(record.deployed_by))
    what = `lab ${lab} is being deployed by process ${record.deployed_by.pid}`
  return new WeftError('W-4003', `${what}, in ${labDirectory(lab)}`, { next: `weft lab destroy ${lab}` })
}

export async function writeRecord(record: LabRecord): Promise<void> {
  const path = recordPath(record.name)
  await writeFile(`${path}.new`, `${JSON.stringify(record, undefined, 2)}\n`)
  await rename(`${path}.new`, path)
}

/** `undefined` when there is none, or none that can be read. */
export async function readRecord(lab: string): Promise<LabRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordPath(lab), 'utf8')) as LabRecord
  } catch {
    return undefined
  }
}

/** Names of all labs that have a directory, with or without a record. */
export async function labNames(): Promise<string[]> {
  try {
    const entries = await readdir(labRoot, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw err
  }
}

function recordPath(lab: string): string {
  return `${labDirectory(lab)}/lab.json`
}

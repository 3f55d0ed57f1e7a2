import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { WeftError } from '../common/errors.js'
import { inNamespace } from './command.js'
import { labDirectory, namespacePath, processMark } from './names.js'

/** A process that a lab runs in the background: how to start it. */
export interface ProcessSpec {
  /** Unique in the lab: names the record and the log. */
  readonly name: string
  readonly namespace?: string | undefined
  readonly argv: readonly string[]
}

/** A pid alone may be somebody else's by now; with its start time it is not. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  readonly start_time: string
}

/** A process that was started. */
export interface ProcessRecord extends ProcessSpec, ProcessIdentity {}

/** Starts a process that outlives its parent, in a session of its own, and writes it down. */
export async function startProcess(lab: string, spec: ProcessSpec): Promise<ProcessRecord> {
  const log = openSync(logPath(lab, spec.name), 'a', 0o644)
  const [program = '', ...args] = inNamespace(spec.namespace, spec.argv)
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { ...process.env, [processMark]: lab },
  })
  closeSync(log)
  child.unref()
  const { pid } = child
  if (pid === undefined) {
    const cause = await new Promise<Error>((resolve) => child.once('error', resolve))
    throw new WeftError('W-4005', `${spec.name} did not start: ${cause.message}`, { cause })
  }
  const record = { ...spec, pid, start_time: startTime(pid) ?? '' }
  await writeFile(recordPath(lab, spec.name), `${JSON.stringify(record)}\n`)
  return record
}

export async function readProcesses(lab: string): Promise<ProcessRecord[]> {
  const directory = `${labDirectory(lab)}/process`
  const files = await readdir(directory).catch(() => [])
  const records = await Promise.all(
    files.map(async (file) => {
      try {
        return [JSON.parse(await readFile(`${directory}/${file}`, 'utf8')) as ProcessRecord]
      } catch {
        return [] // cut off in mid-write; the mark in its environment finds the process
      }
    }),
  )
  return records.flat()
}

export function isRunning({ pid, start_time }: ProcessIdentity): boolean {
  return startTime(pid) === start_time
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start_time: startTime(process.pid) ?? '' }
}

export function logPath(lab: string, process: string): string {
  return `${labDirectory(lab)}/log/${process}.log`
}

/** Kills at once and waits until the pids are gone. Returns how many there were. */
export async function killAll(pids: Iterable<number>): Promise<number> {
  const rest = new Set(pids)
  const count = rest.size
  for (const pid of rest) signalQuietly(pid, 'SIGKILL')
  for (let waited = 0; rest.size > 0 && waited < 5000; waited += 5) {
    for (const pid of rest) if (startTime(pid) === undefined) rest.delete(pid)
    if (rest.size > 0) await sleep(5)
  }
  if (rest.size > 0)
    throw new WeftError('W-4005', `processes ${[...rest].join(', ')} do not end, even by SIGKILL`)
  return count
}

/** Pids of a lab: those written down, those with its mark, and whatever runs in its namespaces. */
export async function findPids(lab: string, namespaces: readonly string[]): Promise<Set<number>> {
  const pids = new Set<number>()
  for (const record of await readProcesses(lab)) if (isRunning(record)) pids.add(record.pid)
  const inodes = new Set(namespaces.flatMap((namespace) => inode(namespacePath(namespace))))
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid || startTime(pid) === undefined) continue
    const inside = inode(`/proc/${pid}/ns/net`).some((found) => inodes.has(found))
    if (inside || environment(pid).includes(`${processMark}=${lab}`)) pids.add(pid)
  }
  return pids
}

/** `undefined` when there is no such process, or only its zombie. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold anything; the fields after it do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function environment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}

function inode(path: string): number[] {
  try {
    return [statSync(path).ino]
  } catch {
    return [] // gone, or a process that is ending
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err
  }
}

function recordPath(lab: string, name: string): string {
  return `${labDirectory(lab)}/process/${name}.json`
}

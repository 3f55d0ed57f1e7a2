import { readdir, rm } from 'node:fs/promises'
import { WeftError } from '../common/errors.js'
import { unmountBpffs } from './bpffs.js'
import { must, run } from './command.js'
import { expediteRcu, restoreRcu } from './expedited-rcu.js'
import { labDirectory, labOfMark, mayBeLabNamespace } from './names.js'
import { findPids, killAll } from './process.js'
import { labNames, readRecord } from './record.js'

/** What destroying a lab took away. */
export interface Removed {
  readonly processes: number
  readonly namespaces: number
  readonly mounts: number
  readonly directories: number
}

/**
 * Removes everything of a lab, in any state, with or without its record, and
 * whoever of its processes still lives. Devices, links and counters go with
 * their namespaces. Removing what is not there is no error.
 *
 * @throws WeftError W-4005 when something resists.
 */
export async function destroyLab(lab: string): Promise<Removed> {
  const record = await readRecord(lab)
  const rcuWas = (await expediteRcu()) ?? record?.rcu_expedited_was
  try {
    const namespaces = await namespacesOf(lab, record?.namespaces ?? [])
    const processes = await killAll(await findPids(lab, namespaces))
    await deleteNamespaces(namespaces)
    const mounts = await unmountBpffs(lab)
    const directories = (await labNames()).includes(lab) ? 1 : 0
    await rm(labDirectory(lab), { recursive: true, force: true })
    return { processes, namespaces: namespaces.length, mounts, directories }
  } finally {
    await restoreRcu(rcuWas)
  }
}

/** Every lab of which anything is left: a directory, or a namespace that carries the mark. */
export async function findLabs(): Promise<string[]> {
  const marked = [...(await markedNamespaces()).values()]
  return [...new Set([...(await labNames()), ...marked])].sort()
}

/** `removed 3 processes, 5 namespaces, 1 mount`; `nothing was left` when there was nothing. */
export function formatRemoved(removed: Removed): string {
  const parts = Object.entries(removed)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${count === 1 ? singular(what) : what}`)
  return parts.length > 0 ? `removed ${parts.join(', ')}` : 'nothing was left to remove'
}

async function namespacesOf(lab: string, recorded: readonly string[]): Promise<string[]> {
  const existing = new Set(await listNamespaces())
  const found = new Set(recorded.filter((namespace) => existing.has(namespace)))
  for (const [namespace, owner] of await markedNamespaces()) if (owner === lab) found.add(namespace)
  return [...found]
}

/** Namespace to lab, for all that carry a mark. */
async function markedNamespaces(): Promise<Map<string, string>> {
  const marked = new Map<string, string>()
  for (const namespace of (await listNamespaces()).filter(mayBeLabNamespace)) {
    const { code, stdout } = await run(['ip', '-n', namespace, '-j', 'link', 'show', 'dev', 'lo'])
    const lab = code === 0 ? labOfMark((JSON.parse(stdout) as [{ ifalias?: string }])[0]?.ifalias) : undefined
    if (lab !== undefined) marked.set(namespace, lab)
  }
  return marked
}

/** Names under /run/netns. */
export async function listNamespaces(): Promise<string[]> {
  return readdir('/run/netns').catch(() => [])
}

async function deleteNamespaces(namespaces: readonly string[]): Promise<void> {
  if (namespaces.length === 0) return
  const lines = namespaces.map((namespace) => `netns del ${namespace}\n`)
  // Not `must` on the first error: each namespace that can go, goes.
  await run(['ip', '-force', '-batch', '-'], { input: lines.join('') })
  const left = (await listNamespaces()).filter((namespace) => namespaces.includes(namespace))
  if (left.length > 0) {
    const why = await must(['ip', 'netns', 'del', left[0]!]).catch((err: WeftError) => err.message)
    throw new WeftError('W-4005', `namespaces ${left.join(', ')} cannot be deleted: ${why}`)
  }
}

function singular(what: string): string {
  return (
    { processes: 'process', namespaces: 'namespace', mounts: 'mount', directories: 'directory' }[what] ?? what
  )
}

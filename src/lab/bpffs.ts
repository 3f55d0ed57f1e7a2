import { readdir, readFile, rm } from 'node:fs/promises'
import { must } from './command.js'
import { labDirectory } from './names.js'

/**
 * One bpffs for a lab, with a directory for each host. It lies outside /sys, so
 * that it is there whoever enters a namespace and however.
 */
export async function mountBpffs(lab: string): Promise<void> {
  await must(['mount', '-t', 'bpf', '-o', 'mode=0755', 'bpf', bpffsPath(lab)])
}

/** The directory of a host in it. A bpffs refuses names with a dot; no node's name has the underscore. */
export function hostBpffs(lab: string, host: string): string {
  return `${bpffsPath(lab)}/${host.replaceAll('.', '_')}`
}

/** Removes the pins, then the mount. Another mount namespace may hold a copy of it, but no pins then. */
export async function unmountBpffs(lab: string): Promise<number> {
  const mounts = await mountsBelow(labDirectory(lab))
  for (const mount of mounts.reverse()) {
    if (mount === bpffsPath(lab)) await removePins(mount)
    await must(['umount', '--lazy', mount])
  }
  return mounts.length
}

function bpffsPath(lab: string): string {
  return `${labDirectory(lab)}/bpf`
}

// The kernel's own files at the root of a bpffs cannot be removed; what is pinned lies in directories.
async function removePins(mount: string): Promise<void> {
  for (const entry of await readdir(mount, { withFileTypes: true }))
    if (entry.isDirectory()) await rm(`${mount}/${entry.name}`, { recursive: true })
}

async function mountsBelow(directory: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  return lines.map((line) => line.split(' ')[4] ?? '').filter((mount) => mount.startsWith(`${directory}/`))
}

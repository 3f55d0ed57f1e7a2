import { readdir, readFile, readlink } from 'node:fs/promises'
import { WeftError } from '../../common/errors.js'

/**
 * Names the process that holds a UDP port, where netlink could only say that it
 * is taken. Passes on every other error.
 */
export async function nameHolder(error: WeftError, port: number): Promise<WeftError> {
  if (error.code !== 'W-2103' || error.details['holder'] !== undefined) return error
  const holder = await findUdpHolder(port)
  if (holder === undefined) return error
  return new WeftError('W-2103', `UDP port ${port} is held by ${holder.name} (process ${holder.pid})`, {
    next: `stop it, or set underlay.port in the topology: ss -ulpn sport = :${port}`,
    details: { ...error.details, holder: holder.name, pid: holder.pid },
    cause: error,
  })
}

/** The first process of which a UDP socket of this network namespace is bound to `port`. */
export async function findUdpHolder(port: number): Promise<{ name: string; pid: number } | undefined> {
  const inodes = new Set(
    (await Promise.all(['/proc/self/net/udp', '/proc/self/net/udp6'].map(readText))).flatMap((table) =>
      boundInodes(table, port),
    ),
  )
  if (inodes.size === 0) return undefined
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (await holds(pid, inodes)) {
      return { name: (await readText(`/proc/${pid}/comm`)).trim(), pid: Number(pid) }
    }
  }
  return undefined
}

/** Inodes of the sockets of a /proc/net/udp table (proc(5)) that are bound to `port`. */
export function boundInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[9] !== '0')
    .map((fields) => fields[9]!)
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  try {
    for (const fd of await readdir(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode !== undefined && inodes.has(inode)) return true
    }
  } catch {
    // It has ended, or is not ours to look into.
  }
  return false
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

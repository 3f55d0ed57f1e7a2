import { createServer, type Server } from 'node:net'
import { WeftError } from '../common/errors.js'
import type { Logger } from '../common/logger.js'
import { lockDirectory } from './bpf/directory-lock.js'
import { holderOf } from './name-holder.js'

/** In the abstract namespace: one for each network namespace, gone with the process, also after kill -9. */
const NAME = 'weft-node'
/** Filled up as Node does by itself up to version 20, and later does not: `sun_path` has 108 bytes. */
const PATH = `\0${NAME}`.padEnd(108, '\0')

/**
 * Makes this the only node daemon of its network namespace, and of its bpffs
 * directory, until disposed.
 *
 * Everybody may take a name of the abstract namespace. One that a user takes
 * who could not run this daemon keeps nobody from starting: it is a warning.
 *
 * @throws WeftError W-2004 when there is one already
 */
export async function becomeSole(bpffs: string, log: Logger): Promise<AsyncDisposable> {
  const name = await takeName(log)
  const lock = lockDirectory(bpffs)
  if (!lock) {
    name?.close()
    throw runsAlready(`with its maps in ${bpffs}, in another network namespace`)
  }
  return {
    async [Symbol.asyncDispose]() {
      lock[Symbol.dispose]()
      if (name) await new Promise((resolve) => name.close(resolve))
    },
  }
}

async function takeName(log: Logger): Promise<Server | undefined> {
  const server = createServer((socket) => socket.end())
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(PATH, resolve)
    })
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw err
    const holder = holderOf(PATH)
    if (holder?.uid === 0 || holder?.uid === process.geteuid?.()) {
      throw runsAlready('in this network namespace', err as Error)
    }
    const fields = { socket: `@${NAME}`, ...holder }
    log.warn(fields, 'a stranger holds the socket by which node daemons know of each other')
    return undefined
  }
  server.unref()
  return server
}

function runsAlready(where: string, cause?: Error): WeftError {
  return new WeftError('W-2004', `another weft-node runs ${where}`, {
    next: 'pgrep -a -f weft-node, and stop it; or give this one a --bpffs of its own in its own namespace',
    ...(cause && { cause }),
  })
}

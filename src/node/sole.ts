import { createServer } from 'node:net'
import { WeftError } from '../common/errors.js'
import { lockDirectory } from './bpf/directory-lock.js'

/** In the abstract namespace: one for each network namespace, gone with the process, also after kill -9. */
const SOCKET = '\0weft-node'

/**
 * Makes this the only node daemon of its network namespace, and of its bpffs
 * directory, until disposed.
 *
 * @throws WeftError W-2004 when there is one already
 */
export async function becomeSole(bpffs: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.end())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err: NodeJS.ErrnoException) =>
      reject(err.code === 'EADDRINUSE' ? runsAlready('in this network namespace', err) : err),
    )
    server.listen(SOCKET, resolve)
  })
  server.unref()
  const lock = lockDirectory(bpffs)
  if (!lock) {
    server.close()
    throw runsAlready(`with its maps in ${bpffs}, in another network namespace`)
  }
  return {
    async [Symbol.asyncDispose]() {
      lock[Symbol.dispose]()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function runsAlready(where: string, cause?: Error): WeftError {
  return new WeftError('W-2004', `another weft-node runs ${where}`, {
    next: 'pgrep -a -f weft-node, and stop it; or give this one a --bpffs of its own in its own namespace',
    ...(cause && { cause }),
  })
}

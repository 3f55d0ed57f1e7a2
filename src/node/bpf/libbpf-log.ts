import { isMainThread } from 'node:worker_threads'
import * as sys from './libbpf.js'

const KEPT = 64
const WARN = 0
const messages: string[] = []
const line = new Uint8Array(4096)
let listening = false

/**
 * What libbpf had to say while `work` ran: the why behind an errno, such as
 * which attribute of a pinned map differs. Keeps the last 64 lines.
 *
 * libbpf's print function is one for the process and outlives the thread that
 * set it: a Worker that set one and ended would make the next message, from any
 * thread, abort the process. So only the main thread listens; messages of a
 * Worker's calls go to stderr, or to the main thread's callback.
 */
export function withMessages<T>(work: () => T): { result: T; messages: readonly string[] } {
  listen()
  messages.length = 0
  const result = work()
  return { result, messages: messages.slice() }
}

function listen(): void {
  if (listening || !isMainThread) return
  listening = true
  sys.setPrint(sys.printCallback(keep))
}

// Runs inside libbpf: an exception here would unwind through C.
function keep(level: number, format: sys.Pointer, args: sys.Pointer): number {
  if (level > WARN) return 0
  const length = sys.vsnprintf(line, line.length, format, args)
  const text = Buffer.from(line.buffer, 0, Math.min(Math.max(length, 0), line.length - 1))
  messages.push(text.toString('utf8').trimEnd())
  if (messages.length > KEPT) messages.shift()
  return 0
}

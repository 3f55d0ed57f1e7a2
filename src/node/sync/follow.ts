import { pause } from '../../common/backoff.js'
import { WeftError } from '../../common/errors.js'
import type { Logger } from '../../common/logger.js'
import type { NodeState } from '../../model/segment-table.js'
import type { Hello } from '../../rpc/records.js'
import { openSync } from '../../rpc/sync-client.js'
import type { Answering } from '../answers/answering.js'
import type { NewestInbox } from './inbox.js'
import { reconnectMs } from './reconnect.js'
import type { Replica } from './replica.js'
import type { Uplink } from './uplink.js'

/** A controller that is connected and says nothing is as good as away. */
const SILENCE_MS = 20_000

export interface FollowDeps {
  readonly addresses: readonly string[]
  readonly hello: Omit<Hello, 'held'>
  readonly replica: Replica
  readonly inbox: NewestInbox<NodeState>
  readonly uplink: Uplink
  readonly answering: Answering
  readonly log: Logger
  /** Whether the kernel holds what an earlier topology, or daemon, put there. */
  readonly isProgrammed: () => boolean
  /** For what the operator must see beside the log: one line on stderr. */
  readonly notice: (line: string) => void
}

/**
 * Follows a controller until `signal` aborts: each complete state goes into the
 * inbox. While no controller answers, the kernel forwards on with what it has,
 * and the addresses are tried one after another.
 */
export async function follow(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  const { addresses, log } = deps
  let failures = 0
  const told = new Set<string>()
  while (!signal.aborted) {
    const address = addresses[failures % addresses.length]!
    let synced = false
    const error = await runStream(deps, address, signal, () => {
      synced = true
      told.clear()
    })
    if (signal.aborted) return
    deps.uplink.closed(address, error.message)
    if (synced) {
      failures = 0
      log.warn({ controller: address, code: error.code, error: error.message }, 'controller lost')
    }
    failures++
    // One line for each thing that is wrong, however often it is tried.
    if (!synced && !told.has(error.code)) {
      told.add(error.code)
      tell(deps, address, error)
    }
    const waitMs = reconnectMs(failures, addresses.length)
    log.debug({ controller: address, error: error.message, wait_ms: waitMs, failures }, 'try again')
    await pause(waitMs, signal)
  }
}

/** Runs one stream to its end, and says why it ended. */
async function runStream(
  deps: FollowDeps,
  address: string,
  signal: AbortSignal,
  onSynced: () => void,
): Promise<WeftError> {
  const { replica, inbox, uplink, log } = deps
  const silent = new AbortController()
  const stop = AbortSignal.any([signal, silent.signal])
  const timer = setTimeout(() => silent.abort(), SILENCE_MS)
  const stream = openSync(address, { ...deps.hello, held: replica.begin() }, stop)
  let opened = false
  try {
    for await (const change of stream.changes) {
      clearTimeout(timer)
      if (change.kind === 'ask' || change.kind === 'ask_end') {
        deps.answering.take(change, stream)
        continue
      }
      const step = replica.apply(change)
      if (step.kind === 'request') {
        log.info({ vni: step.vni, why: step.why }, 'ask for a segment whole')
        stream.send({ kind: 'segment_request', vni: step.vni })
      } else if (step.kind === 'complete') {
        if (!opened) {
          opened = true
          uplink.opened(stream, address)
          onSynced()
          log.info({ controller: address, revision: `${step.state.revision}` }, 'in sync')
        }
        inbox.put(step.state)
      }
    }
    return new WeftError('W-3009', `controller ${address} says nothing for ${SILENCE_MS / 1000} s`)
  } catch (err) {
    return WeftError.from(err)
  } finally {
    deps.answering.endAll()
    clearTimeout(timer)
  }
}

function tell({ hello, log, notice, isProgrammed }: FollowDeps, address: string, error: WeftError): void {
  const fields = { controller: address, code: error.code, error: error.message }
  if (error.code !== 'W-3004') {
    log.warn(fields, 'no controller')
    return
  }
  log.warn(fields, 'no topology declares this node')
  const meanwhile = isProgrammed()
    ? 'what was programmed before goes on forwarding'
    : 'nothing is programmed until one does'
  notice(
    `W-3004 no topology declares a node named "${hello.node}": ${meanwhile}\n` +
      `  next: declare it under nodes: and weft apply, or start with the right --node-name`,
  )
}

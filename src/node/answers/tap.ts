import { WeftError } from '../../common/errors.js'
import type { Mac } from '../../model/mac.js'
import type { FrameRecord, TapQuestion } from '../../rpc/questions.js'
import { type TapFilter, TapFlag } from '../bpf/abi.gen.js'
import type { NodeStatus } from '../status.js'
import type { SeenFrame } from '../taps/record.js'
import type { Taps } from '../taps/taps.js'
import { programName, reasonName } from '../telemetry/names.js'
import type { Answerer } from './answering.js'
import { ifindexOf, interfaceOf } from './ports.js'

/** bpf/abi/weft.h, TAP_MAX_BYTES. */
const MOST_BYTES = 1536
const LONGEST_MS = 3_600_000
/** Frames wait so long for others to go with them. */
const BATCH_MS = 20
const BATCH_FRAMES = 256

/** Frames that the programs see, for as long as they are wanted. */
export function answerTap(taps: Taps, status: NodeStatus): Answerer<TapQuestion> {
  return async (question, reply, signal) => {
    const filter = filterOf(question, status)
    const batch: FrameRecord[] = []
    const toWall = wallClock()
    let [seen, left] = [0, 0]
    const full = new AbortController()
    const tap = await taps.add(filter, question.deliveries, (frame) => {
      if (seen >= question.most) return
      seen++
      if (reply.congested || batch.length >= BATCH_FRAMES) left++
      else batch.push(recordOf(frame, status, toWall))
      if (seen === question.most) full.abort()
    })
    try {
      const send = () => {
        if (reply.congested) return
        reply({ kind: 'tap', frames: batch.splice(0), lost: tap.lost() + left })
      }
      send() // in place
      const timer = setInterval(() => batch.length > 0 && send(), BATCH_MS)
      await over(question.duration_ms, AbortSignal.any([signal, full.signal]))
      clearInterval(timer)
      send()
    } finally {
      tap.close()
    }
  }
}

function filterOf(question: TapQuestion, status: NodeStatus): TapFilter {
  const { source, destination } = question
  if (question.marker > BigInt(Number.MAX_SAFE_INTEGER)) throw new WeftError('W-3010', 'marker over 53 bits')
  const durationMs = Math.min(question.duration_ms, LONGEST_MS)
  return {
    untilNs: Number(process.hrtime.bigint()) + (durationMs + 1000) * 1e6,
    marker: Number(question.marker),
    vni: question.vni,
    ifindex: question.interface === '' ? 0 : ifindexOf(question.interface, status),
    source: source ?? (0 as Mac),
    destination: destination ?? (0 as Mac),
    flags:
      (source === undefined ? 0 : TapFlag.TAP_SOURCE) |
      (destination === undefined ? 0 : TapFlag.TAP_DESTINATION) |
      (question.both_ways ? TapFlag.TAP_BOTH_WAYS : 0) |
      (question.deliveries ? TapFlag.TAP_DELIVERIES : 0),
    snaplen: Math.min(question.snaplen, MOST_BYTES),
  }
}

function recordOf(
  { head, bytes }: SeenFrame,
  status: NodeStatus,
  toWall: (ns: number) => bigint,
): FrameRecord {
  return {
    at_ns: toWall(head.atNs),
    vni: head.vni,
    program: programName(head.program),
    reason: reasonName(head.reason),
    interface: interfaceOf(head.ifindex, status),
    vtep: head.vtep === '::' ? undefined : head.vtep,
    length: head.length,
    bytes,
  }
}

/** From CLOCK_MONOTONIC to nanoseconds since 1970; the clock of now, whatever it is set to meanwhile. */
function wallClock(): (ns: number) => bigint {
  const sinceStart = performance.timeOrigin + performance.now()
  const now = Date.now()
  // Finer than a millisecond, unless the clock was set since this process began.
  const ms = Math.abs(sinceStart - now) < 5 ? sinceStart : now
  const offset = BigInt(Math.round(ms * 1000)) * 1000n - process.hrtime.bigint()
  return (ns) => BigInt(ns) + offset
}

function over(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, Math.min(ms, LONGEST_MS))
    if (signal.aborted) done()
    else signal.addEventListener('abort', done, { once: true })
  })
}

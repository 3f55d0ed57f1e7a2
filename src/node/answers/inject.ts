import { pause } from '../../common/backoff.js'
import { WeftError } from '../../common/errors.js'
import type { InjectQuestion } from '../../rpc/questions.js'
import type { BpfProgram } from '../bpf/object.js'
import { sendIntoPort } from '../probes/sending.js'
import type { NodeStatus } from '../status.js'
import type { Answerer } from './answering.js'
import { ifindexOf } from './ports.js'

const MOST_FRAMES = 1000
/** What a test run takes. */
const [LEAST_BYTES, MOST_BYTES] = [14, 3712]

/** Frames into a port, as if its station had sent them. */
export function answerInject(program: BpfProgram, status: NodeStatus): Answerer<InjectQuestion> {
  return async ({ interface: name, frame, count, gap_ms: gapMs }, reply, signal) => {
    const ifindex = ifindexOf(name, status)
    if (count > MOST_FRAMES) throw new WeftError('W-3012', `at most ${MOST_FRAMES} frames, not ${count}`)
    if (frame.length < LEAST_BYTES || frame.length > MOST_BYTES) {
      throw new WeftError('W-3012', `a frame of ${LEAST_BYTES} to ${MOST_BYTES} bytes, not ${frame.length}`)
    }
    let sent = 0
    while (sent < count && !signal.aborted) {
      if (sent > 0) await pause(gapMs, signal)
      sendIntoPort(program, ifindex, frame)
      sent++
    }
    reply({ kind: 'inject', sent })
  }
}

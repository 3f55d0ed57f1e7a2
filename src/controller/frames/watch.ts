import { randomBytes } from 'node:crypto'
import type { SilentNode } from '../../api/frames.js'
import { WeftError } from '../../common/errors.js'
import type { FrameRecord, TapAnswer } from '../../rpc/questions.js'
import type { Control } from '../control.js'

/** A node that has not answered by then is named. */
const ANSWER_MS = 2_000
/** After the last probe was sent, until what it left on the way has been told. */
const SETTLE_MS = 400
const GAP_MS = 20
const MOST_FRAMES = 20_000

export interface NodeFrame extends FrameRecord {
  readonly node: string
}

/** What the taps of all nodes saw of marked frames. */
export interface Watched {
  readonly sent: number
  readonly frames: readonly NodeFrame[]
  readonly lost: number
  readonly silent: readonly SilentNode[]
}

/** A number that no other frame has by chance; below 2^53, as the nodes need it. */
export function newMarker(): bigint {
  return BigInt(`0x${randomBytes(6).toString('hex')}`) + 1n
}

/**
 * Sends marked frames into a port, with a tap on every node of the segment.
 *
 * @throws WeftError when the node of the port does not answer, or refuses
 */
export async function watchProbes(
  control: Control,
  opts: {
    readonly nodes: readonly string[]
    readonly vni: number
    readonly marker: bigint
    readonly from: { readonly node: string; readonly interface: string }
    readonly frame: Uint8Array
    readonly count: number
    readonly signal: AbortSignal
  },
): Promise<Watched> {
  const stop = new AbortController()
  const signal = AbortSignal.any([opts.signal, stop.signal])
  const durationMs = ANSWER_MS + opts.count * GAP_MS * 2 + SETTLE_MS + 5_000
  const taps = opts.nodes.map((node) => new NodeTap(control, node, { ...opts, durationMs, signal }))
  try {
    await Promise.all(taps.map((tap) => tap.ready))
    const sent = await inject(control, opts)
    await settle(opts.signal)
    stop.abort()
    await Promise.all(taps.map((tap) => tap.over))
    return {
      sent,
      frames: taps.flatMap((tap) => tap.frames),
      lost: taps.reduce((sum, tap) => sum + tap.lost, 0),
      silent: taps.flatMap((tap) => tap.silent ?? []),
    }
  } finally {
    stop.abort()
  }
}

/** The frames of one node. */
class NodeTap {
  readonly frames: NodeFrame[] = []
  lost = 0
  silent: SilentNode | undefined
  /** In place, or known not to be. */
  readonly ready: Promise<void>
  readonly over: Promise<void>

  constructor(
    control: Control,
    private readonly node: string,
    opts: { vni: number; marker: bigint; durationMs: number; signal: AbortSignal },
  ) {
    const answers = control.ask(
      node,
      {
        kind: 'tap',
        vni: opts.vni,
        interface: '',
        source: undefined,
        destination: undefined,
        both_ways: false,
        marker: opts.marker,
        snaplen: 0,
        deliveries: true,
        duration_ms: opts.durationMs,
        most: MOST_FRAMES,
      },
      { timeoutMs: ANSWER_MS, signal: opts.signal },
    )
    let inPlace = () => {}
    this.ready = new Promise((resolve) => {
      inPlace = resolve
    })
    this.over = this.read(answers, inPlace)
  }

  private async read(answers: AsyncIterable<TapAnswer>, inPlace: () => void): Promise<void> {
    try {
      for await (const { frames, lost } of answers) {
        inPlace()
        this.frames.push(...frames.map((frame) => ({ ...frame, node: this.node })))
        this.lost = lost
      }
    } catch (err) {
      this.silent = silentNode(this.node, err)
    } finally {
      inPlace()
    }
  }
}

export function silentNode(node: string, err: unknown): SilentNode {
  const { code, message } = WeftError.from(err)
  return { node, code, message }
}

async function inject(
  control: Control,
  { from, frame, count, signal }: Parameters<typeof watchProbes>[1],
): Promise<number> {
  const question = { kind: 'inject', interface: from.interface, frame, count, gap_ms: GAP_MS } as const
  const timeoutMs = ANSWER_MS + count * GAP_MS * 2
  for await (const { sent } of control.ask(from.node, question, { timeoutMs, signal })) return sent
  return 0
}

function settle(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, SETTLE_MS)
    signal.addEventListener('abort', done, { once: true })
  })
}

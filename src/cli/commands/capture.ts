import { closeSync, openSync, writeSync } from 'node:fs'
import type { CaptureLine } from '../../api/frames.js'
import { parseDuration } from '../../common/duration.js'
import { type ErrorCode, errorCatalogue, WeftError } from '../../common/errors.js'
import { version } from '../../common/version.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { interfaceBlock, packetBlock, sectionHeader } from '../pcapng.js'
import { formatBytes, plural } from '../quantity.js'
import { connect } from '../session.js'
import { parseSize } from '../size.js'

export interface CaptureOptions {
  readonly write: string
  readonly vni?: string
  readonly duration: string
  readonly maxSize: string
  readonly snaplen: string
}

type Frame = CaptureLine['frames'][number]

/** Frames at a node's programs, into a pcapng file, until the time or the size is reached or Ctrl-C. */
export async function capture(
  ctx: CliContext,
  flags: GlobalFlags,
  target: string,
  options: CaptureOptions,
): Promise<number> {
  const query = queryOf(target, options)
  const maxSize = parseSize(options.maxSize)
  if (maxSize === undefined)
    throw new WeftError('W-4001', `--max-size ${options.maxSize}: give a size such as 100MB`)
  const lines = connect(ctx, flags).lines<CaptureLine>('/api/v1/captures', {
    query,
    timeoutMs: query.duration_ms + 30_000,
  })
  try {
    const first = await lines.next()
    if (first.value?.error) throw failureOf(first.value.error) // before there is a file
    using file = openOutput(ctx, options.write)
    const writer = new CaptureWriter(file.write, query, maxSize)
    const lost = await writeAll(first, lines, writer)
    const full = writer.isFull ? `; ended at --max-size ${options.maxSize}` : ''
    ctx.stderr.write(`${plural(writer.packets, 'frame')}, ${formatBytes(writer.size)}${full}\n`)
    if (lost > 0) ctx.stderr.write(`${plural(lost, 'frame')} lost: ${lostHint}\n`)
    return exitCodes.done
  } finally {
    await lines.return()
  }
}

const lostHint = 'more came than could be taken. Narrow it by NODE:IFACE or --vni, or lower --snaplen.'

/** How many frames the node lost. */
async function writeAll(
  first: IteratorResult<CaptureLine, void>,
  lines: AsyncGenerator<CaptureLine, void, void>,
  writer: CaptureWriter,
): Promise<number> {
  let lost = 0
  for (let next = first; !next.done; next = await lines.next()) {
    if (next.value.error) throw failureOf(next.value.error)
    lost = next.value.lost
    if (!writer.add(next.value.frames)) break
  }
  return lost
}

/** Packets into a file of bounded size. */
class CaptureWriter {
  packets = 0
  size = 0
  isFull = false
  private readonly interfaces = new Map<string, number>()

  constructor(
    private readonly write: (bytes: Uint8Array) => void,
    private readonly query: ReturnType<typeof queryOf>,
    private readonly maxSize: number,
  ) {
    this.put(sectionHeader(`weft ${version}`))
    this.put(this.describe(`${query.node}:${query.interface ?? 'weft-vxlan'}`)) // readers want one, also without packets
  }

  /** False when the file is full. */
  add(frames: readonly Frame[]): boolean {
    return frames.every((frame) => this.addFrame(frame))
  }

  private addFrame(frame: Frame): boolean {
    const name = `${this.query.node}:${frame.interface}`
    const blocks = [
      ...(this.interfaces.has(name) ? [] : [this.describe(name)]),
      packetBlock({
        interface: this.interfaces.get(name)!,
        atNs: BigInt(frame.at_ns),
        length: frame.length,
        bytes: Buffer.from(frame.bytes, 'base64'),
        direction: frame.program === 'port_egress' ? 'out' : 'in',
        comment: commentOf(this.query.node, frame),
      }),
    ]
    if (this.size + blocks.reduce((sum, { length }) => sum + length, 0) > this.maxSize) {
      this.isFull = true
      return false
    }
    for (const block of blocks) this.put(block)
    this.packets++
    return true
  }

  private describe(name: string): Uint8Array {
    this.interfaces.set(name, this.interfaces.size)
    return interfaceBlock(name, this.query.snaplen)
  }

  private put(block: Uint8Array): void {
    this.write(block)
    this.size += block.length
  }
}

function commentOf(node: string, { vni, program, reason, vtep }: Frame): string {
  return `node ${node}, vni ${vni}, ${program}, ${reason}${vtep === null ? '' : `, vtep ${vtep}`}`
}

function queryOf(target: string, options: CaptureOptions) {
  const colon = target.indexOf(':')
  const [node, name] = colon < 0 ? [target, ''] : [target.slice(0, colon), target.slice(colon + 1)]
  const duration = parseDuration(options.duration)
  if (duration === undefined) {
    throw new WeftError('W-4001', `--duration ${options.duration}: give a duration such as 30s or 5m`)
  }
  return {
    node,
    ...(name !== '' && { interface: name }),
    ...(options.vni !== undefined && { vni: options.vni }),
    duration_ms: duration,
    snaplen: Number(options.snaplen),
  }
}

function openOutput(ctx: CliContext, path: string): { write: (bytes: Uint8Array) => void } & Disposable {
  if (path === '-') return { write: (bytes) => ctx.stdout.write(bytes), [Symbol.dispose]() {} }
  let fd: number
  try {
    fd = openSync(path, 'w')
  } catch (err) {
    throw new WeftError('W-4002', `cannot write ${path}: ${(err as Error).message}`, { cause: err })
  }
  return {
    write: (bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

function failureOf({ code, message }: { code: string; message: string }): WeftError {
  return new WeftError(code in errorCatalogue ? (code as ErrorCode) : 'W-5000', message)
}

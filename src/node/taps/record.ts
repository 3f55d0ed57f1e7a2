import { type FrameRecord, frameRecord } from '../bpf/abi.gen.js'

/** A frame of the ring `frames`. */
export interface SeenFrame {
  readonly head: FrameRecord
  /** From its Ethernet header, a tag that lay beside it put back in; cut at the tap's snaplen. */
  readonly bytes: Uint8Array
}

const MACS = 12
const TAG = 4

/** PURE: one record, copied out of the ring. */
export function readFrame(view: DataView, offset: number, length: number): SeenFrame {
  const record = new Uint8Array(view.buffer, view.byteOffset + offset, length)
  const head = frameRecord.decode(record)
  const frame = record.subarray(frameRecord.size, frameRecord.size + head.captured)
  if (head.vlanProto === 0 || frame.length < MACS) return { head, bytes: frame.slice() }
  const bytes = new Uint8Array(frame.length + TAG)
  bytes.set(frame.subarray(0, MACS))
  const tag = new DataView(bytes.buffer, MACS, TAG)
  tag.setUint16(0, head.vlanProto)
  tag.setUint16(2, head.vlanTci)
  bytes.set(frame.subarray(MACS), MACS + TAG)
  return { head: { ...head, length: head.length + TAG }, bytes }
}

import type { SegmentUpdate } from '../../model/segment-update.js'
import { encodeChange } from '../../rpc/wire.js'

const buffers = new WeakMap<SegmentUpdate, Buffer>()

/** The bytes of a segment's update: made once, written to every stream that needs it. */
export function encodedUpdate(update: SegmentUpdate): Buffer {
  let bytes = buffers.get(update)
  if (!bytes) {
    bytes = encodeChange({ kind: 'segment', update })
    buffers.set(update, bytes)
  }
  return bytes
}

import { WeftError } from '../../common/errors.js'
import { errnoName } from './errno.js'
import { BpfObject } from './object.js'
import { testRun } from './test-run.js'

/** Larger than any header that the probe takes away. */
const FRAME_BYTES = 200

/**
 * What this kernel lacks for the fast path; `undefined` when it has everything.
 * Runs a program on a frame, since only so does a flag of a helper show.
 *
 * @param path of the object of bpf/tc/fast_path_probe.bpf.c
 * @throws WeftError W-2005 when it is not built
 */
export function missingForFastPath(path: string): string | undefined {
  using object = BpfObject.open(path)
  try {
    object.load()
  } catch (err) {
    if (!(err instanceof WeftError)) throw err
    return 'the kernel lacks a helper for it (bpf_redirect_peer, Linux 5.10)'
  }
  const frame = new Uint8Array(FRAME_BYTES)
  frame.set([0x08, 0x00, 0x45], 12) // IPv4
  const { verdict } = testRun(object.program('fast_path_probe'), frame)
  if (verdict === 0) return undefined
  return `the kernel cannot take headers off a frame for it: ${errnoName(verdict)} (Linux 6.3 can)`
}

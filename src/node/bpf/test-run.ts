import { writeU32 } from './codec.js'
import { check } from './errno.js'
import * as sys from './libbpf.js'
import type { BpfProgram } from './object.js'

/**
 * The members of `struct __sk_buff` that a test run may set (net/bpf/test_run.c,
 * convert___skb_to_skb). Others, such as vlan_tci or protocol, are refused with
 * EINVAL when not zero: the kernel derives them from the frame.
 */
export interface TestRunContext {
  /** A device of the caller's namespace. */
  readonly ifindex?: number
  readonly ingressIfindex?: number
  readonly mark?: number
  readonly priority?: number
  readonly gsoSize?: number
  readonly gsoSegs?: number
  /** Not below the frame's length. */
  readonly wireLen?: number
  /** The first words of `cb`, which are a program's arguments where it is never attached. */
  readonly cb0?: number
  readonly cb1?: number
  readonly cb2?: number
}

export interface TestRunResult {
  /** What the program returned, as a signed number: TC_ACT_UNSPEC is -1. */
  readonly verdict: number
  /** The frame as the program left it. */
  readonly frame: Uint8Array
  /** Mean over the repetitions; 15 ns of it are the harness. */
  readonly nsPerRun: number
  /** The mark as the program left it. */
  readonly mark: number
}

const SK_BUFF_SIZE = 192
const HEADROOM = 256 // a program may push headers
const offsets = {
  mark: 8,
  priority: 32,
  ingressIfindex: 36,
  ifindex: 40,
  cb0: 48,
  cb1: 52,
  cb2: 56,
  wireLen: 160,
  gsoSegs: 164,
  gsoSize: 176,
} as const satisfies Record<keyof TestRunContext, number>

/**
 * Runs a TC program on a frame, without a device (BPF_PROG_TEST_RUN, Linux 4.12;
 * contexts 5.2). bpf_redirect returns 7 and sends nothing; bpf_clone_redirect
 * does send.
 *
 * A tag of 802.1Q stays in the frame, as it would not after a real receive.
 *
 * @param frame 14 to 3712 bytes, from the Ethernet header on
 * @param opts.most bytes that the program may make of it, where it is much more
 * @throws SyscallError EINVAL for frames of other sizes and devices that are not there
 */
export function testRun(
  program: BpfProgram,
  frame: Uint8Array,
  opts: { readonly repeat?: number; readonly ctx?: TestRunContext; readonly most?: number } = {},
): TestRunResult {
  const out = new Uint8Array(Math.max(frame.length, opts.most ?? 0) + HEADROOM)
  const context = encodeContext(opts.ctx ?? {})
  const contextOut = new Uint8Array(SK_BUFF_SIZE)
  const run: sys.TestRunOpts = {
    sz: sys.optsSize.testRun,
    data_in: frame,
    data_out: out,
    data_size_in: frame.length,
    data_size_out: out.length,
    ctx_in: context,
    ctx_out: contextOut,
    ctx_size_in: SK_BUFF_SIZE,
    ctx_size_out: SK_BUFF_SIZE,
    retval: 0,
    repeat: opts.repeat ?? 1,
    duration: 0,
    flags: 0,
    cpu: 0,
    batch_size: 0,
  }
  const what = `${program.name}, frame of ${frame.length} bytes`
  check('bpf_prog_test_run_opts', sys.testRunOpts(program.fd, run), what)
  return {
    verdict: run.retval | 0,
    frame: out.subarray(0, run.data_size_out),
    nsPerRun: run.duration,
    mark: new DataView(contextOut.buffer).getUint32(offsets.mark, true),
  }
}

function encodeContext(ctx: TestRunContext): Uint8Array {
  const bytes = new Uint8Array(SK_BUFF_SIZE)
  for (const [member, value] of Object.entries(ctx) as [keyof TestRunContext, number][]) {
    writeU32(bytes, offsets[member], value)
  }
  return bytes
}

import { SyscallError } from '../../common/errors.js'
import { ProbeOrder } from '../bpf/abi.gen.js'
import { errnoName } from '../bpf/errno.js'
import type { BpfProgram } from '../bpf/object.js'
import { testRun } from '../bpf/test-run.js'
import { type Probe, probeFrame } from './probe-frame.js'

const ETHERNET_BYTES = 14

/**
 * Sends the frame into a port, as if its station had sent it.
 *
 * @param program `probe`
 * @throws SyscallError EINVAL when it is no port, or the frame shorter than 14 or longer than 3712 bytes
 */
export function sendIntoPort(program: BpfProgram, ifindex: number, frame: Uint8Array): void {
  const { verdict } = testRun(program, frame, { ctx: { cb0: ProbeOrder.PROBE_INTO_PORT, cb1: ifindex } })
  refused(verdict, `frame into ifindex ${ifindex}`)
}

/**
 * Sends a probe to the daemon behind a VTEP, through the tunnel.
 *
 * @param program `probe`
 * @param bytes Ethernet payload that it grows to
 * @throws SyscallError when the kernel refuses it here: EHOSTUNREACH for what is no VTEP of the segment,
 *   ENODEV without VXLAN device, EMSGSIZE and the like from the way out
 */
export function sendIntoTunnel(program: BpfProgram, probe: Probe, bytes: number): void {
  const most = ETHERNET_BYTES + bytes
  const ctx = { cb0: ProbeOrder.PROBE_INTO_TUNNEL, cb2: most }
  refused(testRun(program, probeFrame(probe), { ctx, most }).verdict, `probe to ${probe.to}`)
}

function refused(errno: number, what: string): void {
  if (errno !== 0) throw new SyscallError('bpf_clone_redirect', errnoName(errno), { what })
}

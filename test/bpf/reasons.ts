import { expect } from 'vitest'
import type { ProgramId } from '../../src/node/bpf/abi.gen.js'

type Program = keyof typeof ProgramId
type Caused = Partial<Record<Program, readonly string[]>>

/**
 * Which test file causes which reason in which program. Each file holds itself to
 * its row by expectReasons(), and reasons.test.ts holds the rows to the programs.
 */
export const causedIn: Record<string, Caused> = {
  'port-ingress': {
    PROGRAM_PORT_INGRESS: [
      'DROP_LINK_LOCAL',
      'DROP_MALFORMED',
      'DROP_NO_DEVICE',
      'DROP_NO_MEMBER',
      'DROP_NO_TUNNEL',
      'DROP_OVER_MTU',
      'DROP_SAME_PORT',
      'DROP_SOURCE_MAC',
      'DROP_STATIC_ELSEWHERE',
      'DROP_UNKNOWN_PORT',
      'DROP_UNKNOWN_SEGMENT',
      'FORWARD_FLOOD',
      'FORWARD_LOCAL',
      'FORWARD_TUNNEL',
    ],
  },
  'tunnel-ingress': {
    PROGRAM_TUNNEL_INGRESS: [
      'DROP_LINK_LOCAL',
      'DROP_MALFORMED',
      'DROP_NO_DEVICE',
      'DROP_NO_MEMBER',
      'DROP_SOURCE_MAC',
      'DROP_STATIC_ELSEWHERE',
      'DROP_TUNNEL_KEY',
      'DROP_UNKNOWN_VNI',
      'DROP_UNKNOWN_VTEP',
      'FORWARD_FLOOD',
      'FORWARD_LOCAL',
    ],
  },
  probe: { PROGRAM_TUNNEL_INGRESS: ['TAKE_PROBE'] },
  'port-guard': { PROGRAM_PORT_INGRESS: ['DROP_RA_GUARD', 'DROP_TENANT_VXLAN'] },
  'port-spoof': { PROGRAM_PORT_INGRESS: ['DROP_SPOOFED_IP', 'DROP_SPOOFED_MAC'] },
  suppress: { PROGRAM_PORT_INGRESS: ['ANSWER_NEIGHBOR', 'DROP_SUPPRESSED'] },
  'too-big': { PROGRAM_PORT_INGRESS: ['DROP_TOO_BIG'] },
  'port-limits': { PROGRAM_PORT_INGRESS: ['DROP_BUM_LIMIT', 'DROP_MAC_LIMIT'] },
}

/** What no test can cause, and why. */
export const uncaused: Readonly<Record<string, string>> = {
  DROP_FAST_PATH: 'the kernel would have to run out of memory between two steps with one frame',
}

/** For the last test of a file: what it says it causes, it caused. */
export function expectReasons(rig: { readonly reasonsSeen: ReadonlySet<string> }, file: string): void {
  const promised = Object.entries(causedIn[file]!).flatMap(([program, reasons]) =>
    reasons.map((reason) => `${program} ${reason}`),
  )
  expect([...rig.reasonsSeen]).toEqual(expect.arrayContaining(promised))
}

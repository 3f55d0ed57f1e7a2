import { type Mac, parseMac, writeMac } from '../../model/mac.js'
import { type ProbeHeader, type ProbeKind, probeHeader } from '../bpf/abi.gen.js'

/** bpf/abi/weft.h, PROBE_MAGIC and PROBE_ETHERTYPE. */
const MAGIC = 0x57454654
const ETHERTYPE = 0x88b5
const ETHERNET_BYTES = 14
/** No port lets it in (IEEE 802.1Q 8.6.3), so that no tenant can make a probe. */
const TO_DAEMON = parseMac('01:80:c2:00:00:0f') as Mac
const FROM_DAEMON = parseMac('02:57:45:46:54:00') as Mac

/** What one daemon says to another in a probe. Times are microseconds, modulo 2^32. */
export interface Probe extends Omit<ProbeHeader, 'magic' | 'kind'> {
  readonly kind: ProbeKind
}

/** PURE: the frame, without the zeroes that it grows by. */
export function probeFrame(probe: Probe): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + probeHeader.size)
  writeMac(TO_DAEMON, frame, 0)
  writeMac(FROM_DAEMON, frame, 6)
  new DataView(frame.buffer).setUint16(12, ETHERTYPE)
  probeHeader.encode({ ...probe, magic: MAGIC }, frame, ETHERNET_BYTES)
  return frame
}

/** Ethernet payload of a probe that is not grown, bytes. */
export const PROBE_BYTES = probeHeader.size

import { WeftError } from '../common/errors.js'
import { type Mac, readMac, writeMac } from '../model/mac.js'

/** A MAC as a message holds it: six octets in wire order. */
export function macToBytes(mac: Mac): Uint8Array {
  const bytes = new Uint8Array(6)
  writeMac(mac, bytes)
  return bytes
}

/** @throws WeftError W-3010 when it has another length. */
export function macFromBytes(bytes: Uint8Array): Mac {
  if (bytes.length !== 6) throw new WeftError('W-3010', `a MAC is 6 bytes, not ${bytes.length}`)
  return readMac(bytes)
}

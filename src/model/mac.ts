/** A MAC address as a 48-bit number, most significant octet first: cheap as a map key, exact as a double. */
export type Mac = number & { readonly __mac: unique symbol }

const text = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i

/** Reads `02:00:00:01:00:09`; `undefined` when it is anything else. */
export function parseMac(value: string): Mac | undefined {
  return text.test(value) ? (Number.parseInt(value.replaceAll(':', ''), 16) as Mac) : undefined
}

/** Writes `02:00:00:01:00:09`, lower case. */
export function formatMac(mac: Mac): string {
  const hex = mac.toString(16).padStart(12, '0')
  return `${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}:${hex.slice(10)}`
}

/** Reads six octets in wire order at `offset`. */
export function readMac(bytes: Uint8Array, offset = 0): Mac {
  const high = (bytes[offset]! << 8) | bytes[offset + 1]!
  const low =
    ((bytes[offset + 2]! << 24) |
      (bytes[offset + 3]! << 16) |
      (bytes[offset + 4]! << 8) |
      bytes[offset + 5]!) >>>
    0
  return (high * 2 ** 32 + low) as Mac
}

/** Writes six octets in wire order at `offset`. */
export function writeMac(mac: Mac, bytes: Uint8Array, offset = 0): void {
  const high = Math.floor(mac / 2 ** 32)
  const low = mac >>> 0
  bytes[offset] = high >>> 8
  bytes[offset + 1] = high
  bytes[offset + 2] = low >>> 24
  bytes[offset + 3] = low >>> 16
  bytes[offset + 4] = low >>> 8
  bytes[offset + 5] = low
}

/** Group addresses (I/G bit) and zero are never a station's. */
export function isStation(mac: Mac): boolean {
  return mac !== 0 && (Math.floor(mac / 2 ** 40) & 1) === 0
}

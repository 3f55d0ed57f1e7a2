import { type ErrorCode, errorCatalogue } from '../common/errors.js'

const acronyms = new Set(['abi', 'http', 'mac', 'mtu', 'udp', 'vni', 'yaml'])

/** `VNI taken` of W-1104: short, and the same for every occurrence, as RFC 9457 asks. */
export function titleOf(code: ErrorCode): string {
  const words = errorCatalogue[code].name.toLowerCase().split('_')
  const text = words.map((word) => (acronyms.has(word) ? word.toUpperCase() : word)).join(' ')
  return text[0]!.toUpperCase() + text.slice(1)
}

import type { Mac } from '../../model/mac.js'

/** The two ends of the veth pair by which a Linux bridge becomes a port: where the program runs, and the bridge's. */
export interface BridgePair {
  readonly bridge: string
  readonly port: string
  readonly plug: string
  /** Of the plug, above those of stations: a bridge without a MAC of its own takes the lowest of its ports'. */
  readonly plugMac: Mac
}

const NAME = /^w[pb][0-9a-f]{8}$/
const MARK = 'weft '
/** Locally administered; the highest that is no group's. */
const PLUG_OUI = 0xfeff

/** PURE: names that are the same at every start, and fit IFNAMSIZ whatever the bridge is called. */
export function bridgePair(node: string, bridge: string): BridgePair {
  const hash = fnv1a(`${node}/${bridge}`)
  const text = hash.toString(16).padStart(8, '0')
  return { bridge, port: `wp${text}`, plug: `wb${text}`, plugMac: (PLUG_OUI * 2 ** 32 + hash) as Mac }
}

/** The mark of both ends, by which a process that has forgotten all knows them again. */
export function pairAlias(bridge: string): string {
  return `${MARK}${bridge}`
}

/** FNV-1a, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** A daemon that was killed between making the pair and marking it left no alias. */
export function isPairEnd(device: {
  readonly name: string
  readonly kind?: string
  readonly alias?: string
}): boolean {
  if (!NAME.test(device.name) || device.kind !== 'veth') return false
  return device.alias === undefined || device.alias.startsWith(MARK)
}

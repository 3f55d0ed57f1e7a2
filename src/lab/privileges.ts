import { readFile } from 'node:fs/promises'
import { WeftError } from '../common/errors.js'

/** Bits of capabilities(7). */
const needed = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21 }

/** @throws WeftError W-2001: namespaces and mounts need root, or its capabilities. */
export async function requirePrivileges(): Promise<void> {
  const status = await readFile('/proc/self/status', 'utf8')
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  const missing = Object.entries(needed).filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n)
  if (missing.length === 0) return
  const names = missing.map(([name]) => name).join(' and ')
  throw new WeftError('W-2001', `a lab is made of network namespaces and mounts; ${names} is missing`, {
    next: 'sudo weft lab …',
  })
}

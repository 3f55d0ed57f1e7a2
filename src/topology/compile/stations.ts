import { isStation, parseMac } from '../../model/mac.js'
import type { Path } from '../problem.js'
import type { Findings } from './findings.js'

/** Reports a MAC that no host can have. */
export function checkStation(mac: string, path: Path, findings: Findings): void {
  const value = parseMac(mac)
  if (value !== undefined && isStation(value)) return
  const kind = value === 0 ? 'zero' : 'a group address'
  findings.add('W-1006', path, `${mac} is ${kind}, which no host can have`)
}

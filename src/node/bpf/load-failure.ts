import { existsSync } from 'node:fs'
import koffi from 'koffi'
import { WeftError } from '../../common/errors.js'
import { EACCES, EINVAL, ENOSPC, EPERM, errnoName } from './errno.js'
import { missingCapabilities } from './features.js'
import { mapInfo } from './kernel-info.js'
import * as sys from './libbpf.js'

const TAIL_LINES = 40

export interface ProgramLog {
  readonly program: string
  /** C memory. */
  readonly buffer: unknown
  readonly size: number
}

/** Turns what bpf_object__load returned into the error that names the cause. */
export function explainLoadFailure(
  path: string,
  rc: number,
  logs: readonly ProgramLog[],
  messages: readonly string[],
  maps: readonly sys.Pointer[],
): WeftError {
  const errno = errnoName(rc)
  const details = { path, errno, libbpf: messages }
  const missing = rc === -EPERM || rc === -EACCES ? missingCapabilities() : []
  if (missing.length > 0) {
    return new WeftError('W-2001', `loading ${path} needs ${missing.join(' and ')}: ${errno}`, {
      next: 'run as root, or grant the capabilities',
      details: { ...details, missing },
    })
  }
  return (
    refusedByVerifier(path, rc, logs, details) ??
    pinnedByAnotherBuild(path, maps, details) ??
    new WeftError('W-2006', `the kernel did not load ${path}: ${errno}${lastLine(messages)}`, { details })
  )
}

function refusedByVerifier(
  path: string,
  rc: number,
  logs: readonly ProgramLog[],
  details: Readonly<Record<string, unknown>>,
): WeftError | undefined {
  for (const { program, buffer, size } of logs) {
    const lines = koffi.decode.string(buffer).trimEnd().split('\n')
    if (lines.length === 1 && lines[0] === '') continue
    // A log that does not fit hides the verifier's own errno behind ENOSPC.
    const truncated = rc === -ENOSPC
    const last = lines.findLast((line) => !line.startsWith('processed ')) ?? ''
    const message = `the verifier refused program ${program} of ${path}: ${last}`
    return new WeftError('W-2006', truncated ? `${message} (log cut at ${size} bytes)` : message, {
      details: { ...details, program, truncated, log: lines.slice(-TAIL_LINES).join('\n') },
    })
  }
  return undefined
}

// libbpf says EINVAL and, in a message, "parameter mismatch"; name the map and the difference.
function pinnedByAnotherBuild(
  path: string,
  maps: readonly sys.Pointer[],
  details: Readonly<Record<string, unknown>>,
): WeftError | undefined {
  if (details['errno'] !== errnoName(EINVAL)) return undefined
  for (const map of maps) {
    const pin = sys.mapPinPath(map)
    if (pin === null || !existsSync(pin)) continue
    const why = pinDifference(map, pin)
    if (why === '') continue
    return new WeftError('W-2102', `map ${pin} was pinned by another build: ${why}`, {
      details: { ...details, path, map: sys.mapName(map), pin, why },
    })
  }
  return undefined
}

function pinDifference(map: sys.Pointer, pin: string): string {
  const fd = sys.objGet(pin)
  if (fd < 0) return ''
  try {
    const kernel = mapInfo(fd)
    const build = {
      type: sys.mapType(map),
      keySize: sys.mapKeySize(map),
      valueSize: sys.mapValueSize(map),
      maxEntries: sys.mapMaxEntries(map),
      flags: sys.mapFlags(map),
    }
    const fields = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags'] as const
    const differs = fields.filter((field) => kernel[field] !== build[field])
    return differs.map((field) => `${field} ${kernel[field]}, not ${build[field]}`).join('; ')
  } finally {
    sys.close(fd)
  }
}

function lastLine(messages: readonly string[]): string {
  const last = messages.at(-1)
  return last === undefined ? '' : ` (${last})`
}

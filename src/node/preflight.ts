import { existsSync, mkdirSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { WeftError } from '../common/errors.js'
import type { Logger } from '../common/logger.js'
import { isBpffs, missingCapabilities, mountBpffs } from './bpf/features.js'
import { Dataplane } from './drivers/dataplane.js'

const SYSTEM_BPFFS = '/sys/fs/bpf'

/**
 * What must be so before anything is tried: privileges, objects, a bpffs.
 *
 * @throws WeftError W-2001 with the missing capabilities, W-2005 without objects,
 * W-2003 without bpffs
 */
export function preflight(bpffs: string, log: Logger): void {
  checkCapabilities()
  Dataplane.check()
  ensureBpffs(bpffs, log)
}

function checkCapabilities(): void {
  const missing = missingCapabilities()
  if (missing.length === 0) return
  throw new WeftError('W-2001', `weft-node needs ${missing.join(', ')}, which this process lacks`, {
    next: 'run it as root, or with AmbientCapabilities=CAP_BPF CAP_NET_ADMIN CAP_PERFMON in its systemd unit',
    details: { missing },
  })
}

/** Makes `path` a directory on a bpffs; mounts one only where there is none yet. */
function ensureBpffs(path: string, log: Logger): void {
  const existing = nearestDirectory(path)
  if (!isBpffs(existing)) {
    const target = path.startsWith(`${SYSTEM_BPFFS}/`) && existsSync(SYSTEM_BPFFS) ? SYSTEM_BPFFS : path
    mountBpffs(target)
    log.info({ path: target }, 'mounted a bpffs')
    warnOfPrivateMount(log)
  }
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new WeftError('W-2003', `${path} cannot be made: ${(cause as Error).message}`, {
      next: `mkdir ${path}`,
      cause,
    })
  }
}

function nearestDirectory(path: string): string {
  return existsSync(path) ? path : nearestDirectory(dirname(path))
}

// As under `ip netns exec`: then no successor finds what we pin.
function warnOfPrivateMount(log: Logger): void {
  try {
    if (readlinkSync('/proc/self/ns/mnt') === readlinkSync('/proc/1/ns/mnt')) return
  } catch {
    return // not allowed to look, so nothing is known
  }
  log.warn('the bpffs was mounted in a private mount namespace: what is pinned there ends with it')
}

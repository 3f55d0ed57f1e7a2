import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import koffi from 'koffi'
import { checkErrno } from '../../src/node/bpf/errno.js'

const CLONE_NEWNET = 0x40000000

/**
 * Moves this process into an empty network namespace, which ends with it. vitest
 * runs each file in a process of its own. IPv6 is off, so that no frame but the
 * test's is on a device.
 */
export function enterOwnNetwork(): void {
  const unshare = koffi.load('libc.so.6').func('int unshare(int flags)') as (flags: number) => number
  checkErrno('unshare', unshare(CLONE_NEWNET))
  writeFileSync('/proc/sys/net/ipv6/conf/all/disable_ipv6', '1')
  writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1')
  ip('link set lo up')
}

/** Runs `ip` in the namespace of this process. */
export function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

export function ifindexOf(name: string): number {
  return (JSON.parse(ip(`-j link show ${name}`)) as { ifindex: number }[])[0]!.ifindex
}

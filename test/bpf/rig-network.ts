import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import koffi from 'koffi'
import { Tap } from './tap.js'

const CLONE_NEWNS = 0x00020000
const CLONE_NEWNET = 0x40000000

// Only the main thread moves, and the processes it starts: enough for
// synchronous calls, ip(8) and descriptors opened from now on.
export function leaveNamespaces(): void {
  const unshare = koffi.load('libc.so.6').func('int unshare(int flags)') as (flags: number) => number
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) throw new Error(`unshare: errno ${koffi.errno()}; needs root`)
  execFileSync('mount', ['--make-rprivate', '/'])
  ip('link set lo up')
  // No router solicitations or duplicate address detection among the test's frames.
  writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1')
}

export function makePort(name: string, offload = false): Tap {
  const tap = new Tap(name, { offload })
  ip(`link set ${name} up`)
  return tap
}

/** Of the underlay device, and of the router behind it. */
export const underlayMac = '02:00:00:00:ff:01'
export const routerMac = '02:00:00:00:ff:02'

// Every other VTEP is behind one router, whose MAC is known: no ARP among the test's frames.
export function makeUnderlay(): Tap {
  const tap = new Tap('underlay')
  ip('link set underlay address 02:00:00:00:ff:01 mtu 1500 up')
  writeFileSync('/proc/sys/net/ipv6/conf/underlay/disable_ipv6', '0')
  writeFileSync('/proc/sys/net/ipv6/conf/underlay/accept_dad', '0')
  ip('addr add 192.0.2.1/24 dev underlay')
  ip('addr add 2001:db8::1/64 dev underlay nodad')
  ip(`neigh add 192.0.2.254 lladdr ${routerMac} dev underlay`)
  ip(`neigh add 2001:db8::fe lladdr ${routerMac} dev underlay`)
  ip('route add 198.51.100.0/24 via 192.0.2.254')
  ip('-6 route add 2001:db8:1::/48 via 2001:db8::fe')
  return tap
}

export function ip(args: string): void {
  execFileSync('ip', args.split(' '))
}

export function ifindexOf(device: string): number {
  const [link] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', 'dev', device], { encoding: 'utf8' }))
  return link.ifindex
}

/**
 * Joins a group on the underlay. With an IPv6 address comes a route that would keep
 * what is sent to the group on this node; with an IPv4 one it does not.
 */
export function joinGroup(group: string): void {
  const isIpv6 = group.includes(':')
  ip(`addr add ${group}/${isIpv6 ? 128 : 32} dev underlay autojoin`)
  if (isIpv6) ip(`-6 route del local ${group} dev underlay table local`)
}

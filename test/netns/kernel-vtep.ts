import { must } from '../../src/lab/command.js'
import { ipBatch } from '../../src/lab/ip-batch.js'
import { namespaceMark, namespaceOf } from '../../src/lab/names.js'
import type { Lab } from './harness.js'

/** Of the station at the kernel's VTEP. */
export const address = '99.1.0.77'
export const address6 = 'fd00:99:1::77'

export interface Underlay {
  readonly family: string
  readonly name: string
  /** Of the networks: 1500 less the headers of the tunnel. */
  readonly mtu: number
  /** Of the fabric's VTEPs, all but the number of the host. */
  readonly prefix: string
  readonly prefixLength: number
}

/** interop.yaml over each family of underlay; `name` begins the names of the labs. */
export function underlays(name: string): Underlay[] {
  return [
    { family: 'IPv4', name, mtu: 1450, prefix: '172.16.1.', prefixLength: 24 },
    { family: 'IPv6', name: `${name}6`, mtu: 1430, prefix: 'fd00:16::', prefixLength: 64 },
  ]
}

/** An edit of interop.yaml. */
export function overUnderlay({ prefix, prefixLength }: Underlay): (text: string) => string {
  return (text) =>
    text.replace(/172\.16\.1\.(\d+)(\/24)?/g, (_, host, length) =>
      length ? `"${prefix}${host}/${prefixLength}"` : `"${prefix}${host}"`,
    )
}

/** A VTEP as anyone would make it by hand, in a namespace `peer` on the fabric: vx0 with `options`. */
export async function addKernelVtep(
  { name, mtu, prefix, prefixLength }: Underlay,
  options: string,
): Promise<void> {
  const peer = namespaceOf(name, 'peer')
  const fabric = namespaceOf(name, 'fabric')
  await ipBatch([
    `netns add ${peer}`,
    `link add eth0 netns ${peer} type veth peer name peer0 netns ${fabric}`,
  ])
  await ipBatch(['link set peer0 master br0 up'], { namespace: fabric })
  const nodad = prefix.includes(':') ? 'nodad' : ''
  await ipBatch(
    [
      `link set lo alias ${namespaceMark(name)}`,
      'link set lo up',
      'link set eth0 up',
      `addr add ${prefix}77/${prefixLength} dev eth0 ${nodad}`,
      `link add vx0 address 02:00:00:01:00:77 type vxlan id 10000 dstport 4789 local ${prefix}77 dev eth0 ${options}`,
      `link set vx0 mtu ${mtu}`,
      'link set vx0 addrgenmode none',
      'link set vx0 up',
      `addr add ${address}/24 dev vx0`,
      `addr add ${address6}/64 dev vx0 nodad`,
    ],
    { namespace: peer },
  )
}

/** Nothing is left to the devices, so that the wire shows what Weft makes. */
export async function offloadsOff(lab: Lab): Promise<void> {
  const off = ['tx', 'rx', 'tso', 'gso', 'gro'].flatMap((feature) => [feature, 'off'])
  for (const [member, device] of [
    ['r0', 'eth0'],
    ['r1', 'eth0'],
    ['host0', 'eth0'],
    ['host1', 'eth0'],
    ['host0', lab.endpoint('r0').interface],
    ['host1', lab.endpoint('r1').interface],
    ['peer', 'eth0'],
    ['peer', 'vx0'],
  ] as const)
    await lab.must(member, 'ethtool', '-K', device, ...off)
}

/** An entry of the kernel's static table. */
export async function appendFdb({ name, prefix }: Underlay, mac: string, host: number): Promise<void> {
  const peer = namespaceOf(name, 'peer')
  await must(['bridge', '-n', peer, 'fdb', 'append', mac, 'dev', 'vx0', 'dst', `${prefix}${host}`])
}

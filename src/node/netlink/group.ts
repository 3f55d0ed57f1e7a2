import netlink from 'netlink'
import { WeftError } from '../../common/errors.js'
import { type Ip, ipFromBytes, ipToBytes, isIpv4 } from '../../model/ip.js'
import { dump, request, rtm } from './request.js'

/**
 * Multicast groups that the kernel has joined for us on a device. An address
 * with IFA_F_MCAUTOJOIN (Linux 4.1) is a membership that needs no socket, so it
 * outlives the process that asked for it.
 */
export interface Group {
  readonly ifindex: number
  readonly group: Ip
}

/** IFA_PROTO of what is ours (Linux 5.18), and the protocol of our routes: `W`. */
const MARK = 0x57

const ifa = { address: 1, local: 2, flags: 8, proto: 11 } as const
const rta = { destination: 1, outputDevice: 4 } as const
const AUTOJOIN = 0x400
const NO_PREFIX_ROUTE = 0x200
const AF_INET = 2
const AF_INET6 = 10
const RT_TABLE_LOCAL = 255
const RTN = { local: 2, multicast: 5 } as const

/** Those of ours on all devices. @throws WeftError W-2109 */
export async function listGroups(): Promise<Group[]> {
  const messages = await dump(rtm.getAddress, header(0, 0, 0), 'list multicast groups')
  return messages.flatMap(({ data }) => parseGroup(data) ?? [])
}

/**
 * Joins; joining again does nothing.
 *
 * @throws WeftError W-2109 ENOBUFS when `net.ipv4.igmp_max_memberships` is reached
 */
export async function joinGroup({ ifindex, group }: Group): Promise<void> {
  const payload = addressMessage(ifindex, group)
  await unless(
    'EEXIST',
    request(rtm.newAddress, payload, `join group ${group} on device ${ifindex}`, { create: true }),
  )
  if (!isIpv4(group)) await routeGroup(ifindex, group)
}

/** Leaves; false when it was no member. @throws WeftError W-2109 */
export async function leaveGroup({ ifindex, group }: Group): Promise<boolean> {
  if (!isIpv4(group)) {
    const route = routeMessage(ifindex, group, RTN.multicast, MARK)
    await unless('ESRCH', request(rtm.delRoute, route, `delete the route to ${group}`))
  }
  const what = `leave group ${group} on device ${ifindex}`
  return unless('EADDRNOTAVAIL', request(rtm.delAddress, addressMessage(ifindex, group), what))
}

/**
 * What IPv6 needs to send to a group by this device: an address brings a route
 * that would loop what is sent to it back to this host, and without a route of
 * its own a group goes out of whichever device came up first.
 */
async function routeGroup(ifindex: number, group: Ip): Promise<void> {
  const loop = routeMessage(ifindex, group, RTN.local, 0)
  await unless('ESRCH', request(rtm.delRoute, loop, `delete the local route to ${group}`))
  const route = routeMessage(ifindex, group, RTN.multicast, MARK)
  await unless(
    'EEXIST',
    request(rtm.newRoute, route, `route ${group} by device ${ifindex}`, { create: true }),
  )
}

function addressMessage(ifindex: number, group: Ip): Uint8Array[] {
  const family = isIpv4(group) ? AF_INET : AF_INET6
  const bytes = addressBytes(group)
  return [
    header(family, bytes.length * 8, ifindex),
    ...attribute(ifa.local, bytes),
    ...attribute(ifa.address, bytes),
    ...attribute(ifa.flags, u32(AUTOJOIN | NO_PREFIX_ROUTE)),
    ...attribute(ifa.proto, Uint8Array.of(MARK)),
  ]
}

/** `struct rtmsg`: table local, where the kernel looks first. */
function routeMessage(ifindex: number, group: Ip, type: number, protocol: number): Uint8Array[] {
  const bytes = addressBytes(group)
  const message = Buffer.from([
    AF_INET6,
    bytes.length * 8,
    0,
    0,
    RT_TABLE_LOCAL,
    protocol,
    0,
    type,
    0,
    0,
    0,
    0,
  ])
  return [message, ...attribute(rta.destination, bytes), ...attribute(rta.outputDevice, u32(ifindex))]
}

/** `struct ifaddrmsg` */
function header(family: number, prefixLength: number, ifindex: number): Buffer {
  const message = Buffer.alloc(8)
  message[0] = family
  message[1] = prefixLength
  message.writeUInt32LE(ifindex, 4)
  return message
}

function parseGroup(message: Buffer): Group | undefined {
  let address: Buffer | undefined
  let flags = 0
  let proto = 0
  netlink.parseAttributes(message.subarray(8), ({ type, data }) => {
    if (type === ifa.address) address = data
    if (type === ifa.flags) flags = data.readUInt32LE()
    if (type === ifa.proto) proto = data[0]!
  })
  if (!address || proto !== MARK || (flags & AUTOJOIN) === 0) return undefined
  const mapped =
    address.length === 4 ? Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), address]) : address
  return { ifindex: message.readUInt32LE(4), group: ipFromBytes(mapped) }
}

function addressBytes(ip: Ip): Uint8Array {
  const mapped = ipToBytes(ip)
  return isIpv4(ip) ? mapped.subarray(12) : mapped
}

function attribute(type: number, data: Uint8Array): Uint8Array[] {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(4 + data.length, 0)
  head.writeUInt16LE(type, 2)
  return [head, data, Buffer.alloc(-data.length & 3)]
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** False when the kernel says `errno`, which is no failure here. */
async function unless(errno: string, work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (err) {
    if (err instanceof WeftError && err.details['errno'] === errno) return false
    throw err
  }
}

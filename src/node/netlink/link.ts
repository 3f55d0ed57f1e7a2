import netlink, { type ifla, type rt } from 'netlink'
import { WeftError } from '../../common/errors.js'
import { type Mac, readMac } from '../../model/mac.js'
import { dump, request, rtm } from './request.js'

/** A network device of the calling thread's namespace. */
export interface Link {
  readonly ifindex: number
  readonly name: string
  /** `vxlan`, `veth`, `bridge`, …; absent on hardware and loopback. */
  readonly kind?: string
  /** Largest L3 packet, bytes. */
  readonly mtu: number
  /** Administratively; says nothing of the carrier. */
  readonly up: boolean
  /** Owner mark; we use it to know our devices again. */
  readonly alias?: string
  /** Absent on devices without Ethernet addresses. */
  readonly mac?: Mac
  /** A veth whose other end is in another network namespace. */
  readonly terminates?: boolean
  readonly masterIfindex?: number
  readonly vxlan?: VxlanSettings
}

export interface VxlanSettings {
  /** UDP destination port. */
  readonly port: number
  /** Metadata mode: VNI and remote come with each frame. */
  readonly external: boolean
  /** Absent in metadata mode. */
  readonly vni?: number
}

/** @throws WeftError W-2109 */
export async function listLinks(): Promise<Link[]> {
  const messages = await dump(rtm.getLink, payload({}, {}), 'list links')
  return messages.map(({ data }) => parseLink(data))
}

/** `undefined` when there is no such device. @throws WeftError W-2109 */
export async function readLink(ifindex: number): Promise<Link | undefined> {
  const messages = await orAbsent(
    request(rtm.getLink, payload({ index: ifindex }, {}), `read link ${ifindex}`),
  )
  return messages?.[0] && parseLink(messages[0].data)
}

/**
 * Makes a VXLAN device in metadata mode, down, without learning of its own. One
 * UDP port takes one such device of a namespace.
 *
 * @param opts.mtu of the inner L3 packet: the kernel subtracts nothing in metadata mode
 * @throws WeftError W-2103 when another VXLAN device holds the port; names it
 * @throws WeftError W-2109 EEXIST when the name is taken
 */
export async function createVxlan(opts: {
  readonly name: string
  readonly port: number
  readonly mtu: number
  readonly alias?: string
}): Promise<Link> {
  const { name, port, mtu, alias } = opts
  const attrs = { ifname: name, mtu, linkinfo: vxlanInfo(port) }
  try {
    await request(rtm.newLink, payload({}, attrs), `create VXLAN device ${name}`, { create: true })
  } catch (err) {
    throw (await portTaken(err, port, name)) ?? err
  }
  const made = (await listLinks()).find((link) => link.name === name)
  if (!made) throw gone(name)
  if (alias === undefined) return made
  // The kernel does not take an alias at creation.
  await setLink({ ifindex: made.ifindex, alias })
  return { ...made, alias }
}

/**
 * Changes what is given and leaves the rest.
 *
 * @throws WeftError W-2103 when bringing a VXLAN device up finds its UDP port taken
 * @throws WeftError W-2109: ENODEV when the device is gone, EINVAL for an MTU it cannot have
 */
export async function setLink(change: {
  readonly ifindex: number
  readonly mtu?: number
  readonly up?: boolean
  readonly alias?: string
  /** Of the bridge to be enslaved to. */
  readonly master?: number
}): Promise<void> {
  const { ifindex, mtu, up, alias, master } = change
  const data: rt.Link = {
    index: ifindex,
    ...(up !== undefined && { flags: up ? { up } : {}, change: { up: true } }),
  }
  const attrs: ifla.LinkAttrs = {
    ...(mtu !== undefined && { mtu }),
    ...(alias !== undefined && { ifalias: alias }),
    ...(master !== undefined && { master }),
  }
  try {
    await request(rtm.setLink, payload(data, attrs), `change link ${ifindex}`)
  } catch (err) {
    const link = up ? await readLink(ifindex) : undefined
    throw (link?.vxlan && (await portTaken(err, link.vxlan.port, link.name))) ?? err
  }
}

/** Deletes a device; false when it was not there. @throws WeftError W-2109 */
export async function deleteLink(ifindex: number): Promise<boolean> {
  const done = await orAbsent(request(rtm.delLink, payload({ index: ifindex }, {}), `delete link ${ifindex}`))
  return done !== undefined
}

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (err) {
    if (err instanceof WeftError && err.details['errno'] === 'ENODEV') return undefined
    throw err
  }
}

// The kernel says EEXIST at creation, of another device in metadata mode, and
// EADDRINUSE at link up, of any other socket; it never says whose.
async function portTaken(err: unknown, port: number, name: string): Promise<WeftError | undefined> {
  const errno = err instanceof WeftError ? err.details['errno'] : undefined
  if (errno !== 'EEXIST' && errno !== 'EADDRINUSE') return undefined
  const links = await listLinks()
  if (errno === 'EEXIST' && links.some((link) => link.name === name)) return undefined
  const holder = links.find((link) => link.vxlan?.port === port && link.name !== name)
  const who = holder ? `VXLAN device ${holder.name}` : 'a socket of another program'
  return new WeftError('W-2103', `UDP port ${port}, wanted by ${name}, is held by ${who}`, {
    next: holder ? `ip -d link show ${holder.name}` : `ss -ulpn sport = :${port}`,
    details: { port, errno, holder: holder?.name },
    cause: err,
  })
}

function gone(name: string): WeftError {
  return new WeftError('W-2109', `create VXLAN device ${name}: ENODEV (deleted by somebody at once)`, {
    details: { errno: 'ENODEV', what: name },
  })
}

/** UDP source ports 49152 to 65535 (RFC 7348 5), as struct ifla_vxlan_port_range. */
const SOURCE_PORTS = Buffer.from([0xc0, 0x00, 0xff, 0xff])

function vxlanInfo(port: number): Buffer {
  const network = Buffer.alloc(2)
  network.writeUInt16BE(port)
  const data = bytes(
    netlink.ifla.formatVxlan({ collectMetadata: 1, learning: 0, port: network, portRange: SOURCE_PORTS }),
  )
  // IFLA_INFO_KIND, IFLA_INFO_DATA: the package has no type for IFLA_LINKINFO.
  return bytes((out) => {
    out.push(1, Buffer.from('vxlan\0'))
    out.push(2, data)
  })
}

function parseLink(message: Buffer): Link {
  const { data, attrs } = netlink.rt.parseLinkMessage(message)
  const info = attrs.linkinfo && parseLinkInfo(attrs.linkinfo)
  return {
    ifindex: data.index ?? 0,
    name: attrs.ifname ?? '',
    mtu: attrs.mtu ?? 0,
    up: data.flags?.up === true,
    ...(info?.kind !== undefined && { kind: info.kind }),
    ...(attrs.ifalias !== undefined && { alias: attrs.ifalias }),
    ...(attrs.address?.length === 6 && { mac: readMac(attrs.address) }),
    ...(info?.kind === 'veth' && { terminates: attrs.linkNetnsid !== undefined }),
    ...(attrs.master !== undefined && { masterIfindex: attrs.master }),
    ...(info?.kind === 'vxlan' && info.data && { vxlan: parseVxlan(info.data) }),
  }
}

function parseLinkInfo(info: Buffer): { kind?: string; data?: Buffer } {
  const found: { kind?: string; data?: Buffer } = {}
  netlink.parseAttributes(info, ({ type, data }) => {
    if (type === 1) found.kind = data.toString('utf8').replace(/\0$/, '')
    if (type === 2) found.data = data
  })
  return found
}

function parseVxlan(data: Buffer): VxlanSettings {
  const { port, collectMetadata, id } = netlink.ifla.parseVxlan(data)
  const external = collectMetadata === 1
  return { port: port?.readUInt16BE() ?? 0, external, ...(!external && id !== undefined && { vni: id }) }
}

function payload(data: rt.Link, attrs: ifla.LinkAttrs): Uint8Array[] {
  const out = new netlink.AttrStream()
  netlink.rt.formatLinkMessage({ kind: 'link', data, attrs }, out)
  return out.bufs
}

function bytes(data: netlink.StreamData): Buffer {
  const out = new netlink.AttrStream()
  out.emit(data)
  return Buffer.concat(out.bufs)
}

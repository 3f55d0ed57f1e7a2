import netlink from 'netlink'
import { type Ip, ipFromBytes } from '../../model/ip.js'
import { dump, rtm } from './request.js'

/** An address of a device of the calling thread's namespace. */
export interface Address {
  readonly ifindex: number
  /** The device's own, also on point-to-point links. */
  readonly address: Ip
  readonly prefixLength: number
  /** IPv6 whose duplicate check is not over, or failed: nothing can be sent from it. */
  readonly tentative: boolean
}

const ANY_FAMILY = { family: 0 }

/** IPv4 and IPv6. @throws WeftError W-2109 */
export async function listAddresses(): Promise<Address[]> {
  const out = new netlink.AttrStream()
  netlink.rt.formatAddressMessage({ kind: 'address', data: ANY_FAMILY, attrs: {} }, out)
  const messages = await dump(rtm.getAddress, out.bufs, 'list addresses')
  return messages.flatMap(({ data }) => parseAddress(data) ?? [])
}

function parseAddress(message: Buffer): Address | undefined {
  const { data, attrs } = netlink.rt.parseAddressMessage(message)
  const bytes = attrs.local ?? attrs.address
  if (!bytes) return undefined
  const flags = attrs.flags ?? data.flags
  return {
    ifindex: data.index ?? 0,
    address: ipFromBytes(bytes.length === 4 ? mapped(bytes) : bytes),
    prefixLength: data.prefixlen ?? 0,
    tentative: flags?.tentative === true || flags?.dadfailed === true,
  }
}

/** ::ffff:a.b.c.d (RFC 4291 2.5.5.2) */
function mapped(v4: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(10), Buffer.from([255, 255]), v4])
}

import netlink from 'netlink'
import { type Mac, writeMac } from '../../model/mac.js'
import { request, rtm } from './request.js'

const IFLA = { address: 1, mtu: 4, name: 3, linkinfo: 18 } as const
const IFLA_INFO = { kind: 1, data: 2 } as const
const VETH_INFO_PEER = 1

/**
 * Makes two Ethernet devices, down, joined back to back in this namespace.
 *
 * @param opts.mtu largest L3 packet of both, bytes
 * @throws WeftError W-2109 EEXIST when one of the names is taken
 */
export async function createVethPair(opts: {
  readonly name: string
  readonly peer: string
  readonly peerMac: Mac
  readonly mtu: number
}): Promise<void> {
  const { name, peer, peerMac, mtu } = opts
  // `struct ifinfomsg`, all zero, stands before the attributes of either end.
  const header = Buffer.alloc(16)
  const address = Buffer.alloc(6)
  writeMac(peerMac, address)
  const ofPeer = attributes((out) => {
    named(peer, mtu)(out)
    out.push(IFLA.address, address)
  })
  const peerInfo = Buffer.concat([header, ofPeer])
  const info = attributes((out) => {
    out.push(IFLA_INFO.kind, Buffer.from('veth\0'))
    out.push(
      IFLA_INFO.data,
      attributes((data) => data.push(VETH_INFO_PEER, peerInfo)),
    )
  })
  const message = attributes((out) => {
    named(name, mtu)(out)
    out.push(IFLA.linkinfo, info)
  })
  await request(rtm.newLink, [header, message], `create veth pair ${name}`, { create: true })
}

function named(name: string, mtu: number): (out: netlink.AttrStream) => void {
  return (out) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(mtu)
    out.push(IFLA.name, Buffer.from(`${name}\0`))
    out.push(IFLA.mtu, bytes)
  }
}

function attributes(write: (out: netlink.AttrStream) => void): Buffer {
  const out = new netlink.AttrStream()
  write(out)
  return Buffer.concat(out.bufs)
}

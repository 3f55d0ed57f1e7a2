import type { Mac } from '../../src/model/mac.js'
import {
  ethernet,
  icmp,
  ipv4,
  ipv6,
  type Packet,
  payload,
  type Segment,
  tcp,
  udp,
  vlan,
  vxlan,
} from './frames.js'
import {
  advertisement,
  arpPacket,
  extended,
  fragment6,
  linkOption,
  ndFlag,
  routerAdvertisement,
  solicitation,
} from './neighbor-frames.js'
import { alice, bob, vtep } from './stations.js'

const at4 = { from: '10.0.0.1', to: '10.0.0.2' }
const at6 = { from: 'fd00::1', to: 'fd00::2' }
const data = Uint8Array.from({ length: 24 }, (_, i) => i)
const hopByHop = 0
const routing = 43
const destination = 60

const datagram = udp({ from: 1000, to: 2000 }, data)
const many = (segment: Segment) =>
  Array.from({ length: 7 }).reduce<Segment>((inner) => extended(60, inner), segment)

/** `packet` with bytes of its header changed, from an offset on. */
function changed(packet: Packet, at: number, ...values: readonly number[]): Packet {
  const bytes = Uint8Array.from(packet.bytes)
  bytes.set(values, at)
  return { ...packet, bytes }
}

/** Every kind of header that something on the way parses, and those that are wrong in themselves. */
export const oddPackets: Readonly<Record<string, Packet>> = {
  'IPv4 ICMP': ipv4(at4, icmp({ id: 1, seq: 1 }, data)),
  'IPv4 UDP with options': ipv4({ ...at4, options: 10 }, datagram),
  'IPv4 TCP': ipv4(at4, tcp({ from: 1, to: 2 }, data)),
  'IPv4 DHCP': ipv4({ from: '0.0.0.0', to: '255.255.255.255' }, udp({ from: 68, to: 67 }, data)),
  'IPv4, first fragment': changed(ipv4(at4, datagram), 6, 0x20, 0),
  'IPv4, later fragment': changed(ipv4(at4, datagram), 6, 0, 3),
  'IPv4, IHL 0': changed(ipv4(at4, datagram), 0, 0x40),
  'IPv4, IHL 4': changed(ipv4(at4, datagram), 0, 0x44),
  'IPv4, IHL past its end': changed(ipv4(at4, datagram), 0, 0x4f),
  'IPv4 of version 6': changed(ipv4(at4, datagram), 0, 0x65),
  'IPv4, total length 0': changed(ipv4(at4, datagram), 2, 0, 0),
  'IPv4, total length past its end': changed(ipv4(at4, datagram), 2, 0xff, 0xff),
  'VXLAN of a tenant': ipv4(
    { from: '10.0.0.1', to: vtep },
    vxlan(100, ethernet({ from: alice, to: bob }, payload(46))),
  ),
  'IPv6 TCP': ipv6(at6, tcp({ from: 1, to: 2 }, data)),
  'IPv6 with options': ipv6(
    at6,
    extended(hopByHop, extended(destination, extended(routing, datagram, 3), 2)),
  ),
  'IPv6 with more headers than anybody reads': ipv6(at6, many(datagram)),
  'IPv6, first fragment': ipv6(at6, fragment6(datagram, 0, true)),
  'IPv6, later fragment': ipv6(at6, fragment6(datagram, 24, false)),
  'IPv6 of version 4': changed(ipv6(at6, datagram), 0, 0x45),
  'IPv6, payload length past its end': changed(ipv6(at6, datagram), 4, 0xff, 0xff),
  solicitation: ipv6(
    { ...at6, to: 'ff02::1:ff00:2', hopLimit: 255 },
    solicitation({ target: 'fd00::2', options: [linkOption(1, alice)] }),
  ),
  'solicitation with an option of length 0': ipv6(
    { ...at6, to: 'ff02::1:ff00:2', hopLimit: 255 },
    solicitation({ target: 'fd00::2', options: [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)] }),
  ),
  advertisement: ipv6(
    { ...at6, to: 'ff02::1', hopLimit: 255 },
    advertisement({ target: 'fd00::1', flags: ndFlag.override, options: [linkOption(2, alice)] }),
  ),
  'router advertisement behind options': ipv6(
    { from: 'fe80::1', to: 'ff02::1', hopLimit: 255 },
    extended(hopByHop, routerAdvertisement(linkOption(1, alice))),
  ),
  'ARP request': arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' }),
  'ARP of odd address lengths': changed(
    arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' }),
    4,
    255,
    255,
  ),
  'gratuitous ARP': arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.1' }),
  'reverse ARP': arpPacket({
    from: alice,
    fromIp: '0.0.0.0',
    toIp: '0.0.0.0',
    operation: 3,
    etherType: 0x8035,
  }),
  'one tag': vlan(10, ipv4(at4, datagram)),
  'two tags': vlan(20, vlan(10, ipv6(at6, datagram)), 0x88a8),
  'four tags': vlan(40, vlan(30, vlan(20, vlan(10, ipv4(at4, datagram)))), 0x88a8),
  'a tag and ARP': vlan(10, arpPacket({ from: alice, fromIp: '10.0.0.1', toIp: '10.0.0.2' })),
  'an unknown protocol': payload(30),
  'an 802.3 length': payload(30, 0x001e),
  'EtherType 0': payload(30, 0),
  'EtherType 0xffff': payload(30, 0xffff),
}

/** The packet in a frame, without padding, cut to each length from `shortest` to its own. */
export function* truncations(
  between: { from: Mac; to: Mac },
  packet: Packet,
  shortest = 14,
): Generator<Uint8Array> {
  const whole = ethernet(between, packet).subarray(0, 14 + packet.bytes.length)
  for (let length = shortest; length <= whole.length; length++) yield whole.slice(0, length)
}

const isTag = (etherType: number) => etherType === 0x8100 || etherType === 0x88a8
const etherTypeAt = (frame: Uint8Array, at: number) => frame[at]! * 256 + frame[at + 1]!

/** The kernel takes the tag off before any program sees the frame, and drops what has no whole one. */
export function isTagCutShort(frame: Uint8Array): boolean {
  return isTag(etherTypeAt(frame, 12)) && frame.length < 20
}

/** IP without its whole header, behind tags or not: newer kernels let none through the VXLAN device, and count it. */
export function isHeaderCutShort(frame: Uint8Array): boolean {
  let at = 12
  while (isTag(etherTypeAt(frame, at))) at += 4
  const needed: Record<number, number> = { 2048: 20, 34525: 40 }
  return frame.length < at + 2 + (needed[etherTypeAt(frame, at)] ?? 0)
}

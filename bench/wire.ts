/** Frames as bytes, for the frame generator. */

export interface Flow {
  readonly macs: { readonly from: string; readonly to: string }
  readonly addresses: { readonly from: string; readonly to: string }
}

const ETHERNET = 14
const IPV4 = 20
const UDP = 8
const VXLAN = 8
const FRAME = 60 // the shortest Ethernet frame, without FCS
const VXLAN_PORT = 4789
const FLOW_PORTS = { from: 40000, to: 5201 }

/** A frame of an endpoint: 60 bytes, UDP in IPv4. */
export function tenantFrame(flow: Flow): Uint8Array {
  const payload = Buffer.alloc(FRAME - ETHERNET - IPV4 - UDP)
  return ethernetIpv4Udp(flow, FLOW_PORTS, payload)
}

/** The same as it goes over the underlay (RFC 7348). */
export function vxlanFrame(outer: Flow, vni: number, inner: Uint8Array): Uint8Array {
  const vxlan = Buffer.alloc(VXLAN)
  vxlan.writeUInt8(0x08, 0)
  vxlan.writeUIntBE(vni, 4, 3)
  return ethernetIpv4Udp(outer, { from: 50000, to: VXLAN_PORT }, Buffer.concat([vxlan, inner]))
}

function ethernetIpv4Udp(
  { macs, addresses }: Flow,
  ports: { from: number; to: number },
  payload: Uint8Array,
): Uint8Array {
  const bytes = Buffer.alloc(ETHERNET + IPV4 + UDP + payload.length)
  writeMac(bytes, 0, macs.to)
  writeMac(bytes, 6, macs.from)
  bytes.writeUInt16BE(0x0800, 12)
  const ipv4 = bytes.subarray(ETHERNET, ETHERNET + IPV4)
  ipv4.writeUInt8(0x45, 0)
  ipv4.writeUInt16BE(bytes.length - ETHERNET, 2)
  ipv4.writeUInt16BE(0x4000, 6)
  ipv4.writeUInt8(64, 8)
  ipv4.writeUInt8(17, 9)
  writeAddress(ipv4, 12, addresses.from)
  writeAddress(ipv4, 16, addresses.to)
  ipv4.writeUInt16BE(internetChecksum(ipv4), 10)
  const udp = bytes.subarray(ETHERNET + IPV4)
  udp.writeUInt16BE(ports.from, 0)
  udp.writeUInt16BE(ports.to, 2)
  udp.writeUInt16BE(UDP + payload.length, 4)
  udp.set(payload, UDP)
  return bytes
}

function writeMac(out: Buffer, at: number, mac: string): void {
  out.write(mac.replaceAll(':', ''), at, 'hex')
}

function writeAddress(out: Buffer, at: number, address: string): void {
  out.set(address.split('.').map(Number), at)
}

function internetChecksum(header: Buffer): number {
  let sum = 0
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

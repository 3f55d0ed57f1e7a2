/** Lines for `ip -batch` that make the links of endpoints, at deploy and when one moves. */

/** What a line needs to know of an endpoint. */
export interface Station {
  readonly namespace: string
  readonly mac: string
  readonly mtu: number
  readonly addresses: readonly string[]
}

/** A pair from `device` of the endpoint to `port` of a host; for the namespace that `ip` runs in. */
export function cableLine(
  { namespace, mac, mtu }: Station,
  device: string,
  host: string,
  port: string,
): string {
  return `link add name ${device} netns ${namespace} address ${mac} mtu ${mtu} type veth peer name ${port} netns ${host} mtu ${mtu}`
}

/**
 * Stands in for an endpoint that may come: the port has a device, and what goes
 * out there ends there. For the namespace that `ip` runs in.
 */
export function socketLine(host: string, port: string): string {
  return `link add name ${port} netns ${host} mtu 65535 type bridge`
}

/** The host's end. No address on it: the host is no station of the segment. */
export function portLines(port: string, bridge?: string): string[] {
  const plug = bridge === undefined ? [] : [`link set dev ${port} master ${bridge}`]
  return [...withoutAutomaticAddress(port), ...plug, `link set dev ${port} up`]
}

/** The endpoint's end, once it is called eth0. */
export function stationLines({ mac, addresses }: Station): string[] {
  const lines = [...withoutAutomaticAddress('eth0'), 'link set dev eth0 up']
  if (addresses.some((address) => address.includes(':')))
    lines.push(addressLine(`${linkLocal(mac)}/64`, 'eth0'))
  return [...lines, ...addresses.map((address) => addressLine(address, 'eth0'))]
}

// The kernel's own link-local address goes through duplicate address detection, a second in which nothing works.
export function withoutAutomaticAddress(device: string): string[] {
  return [`link set dev ${device} addrgenmode none`]
}

export function addressLine(cidr: string, device: string): string {
  return `addr add ${cidr} dev ${device}${cidr.includes(':') ? ' nodad' : ''}`
}

/** Modified EUI-64 (RFC 4291 appendix A). */
function linkLocal(mac: string): string {
  const octets = mac.split(':').map((octet) => Number.parseInt(octet, 16))
  octets[0] = octets[0]! ^ 2
  octets.splice(3, 0, 0xff, 0xfe)
  const groups = [0, 2, 4, 6].map((at) => ((octets[at]! << 8) | octets[at + 1]!).toString(16))
  return `fe80::${groups.join(':')}`
}

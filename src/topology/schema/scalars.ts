import { z } from 'zod'

// Texts given to a check are what the user reads. For formats they complete
// "<value> is not …", for bounds "<value> is over <bound>, …".

const NAME = 'a name: lower-case letters, digits and "-", first a letter, as red or net-0'
const NODE_NAME = 'a node name: lower-case letters, digits, "-" and ".", as host0'
const INTERFACE = 'an interface name: no spaces, none of / : @ % #, as eth0'
const KERNEL_WORD = 'an interface name: the kernel keeps "default" and "all" for its settings'
const ADDRESS = 'an IP address, as 172.16.1.100 or fd00::1'
const DURATION = 'a duration, as 500ms, 30s, 5m or 1h'
const CIDR = 'an address with prefix length, as 172.16.1.100/24 or fd00::1/64'

/** IFNAMSIZ less the terminating zero. */
export const INTERFACE_NAME_MAX = 15

export const name = z
  .string(NAME)
  .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, NAME)
  .max(63, 'a name')

export const nodeName = z
  .string(NODE_NAME)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, NODE_NAME)
  .max(63, 'a node name')

export const endpointName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'an endpoint name: lower-case letters, digits, "-" and "."')
  .max(63, 'an endpoint name')

/**
 * As the kernel's dev_valid_name, and "@", "%" and "#" left out, which `ip` gives a meaning.
 * The kernel refuses the names of its directories in /proc/sys/net/ipv4/conf too.
 */
export const interfaceName = z
  .string(INTERFACE)
  .regex(/^(?!\.{1,2}$)[^\s/:@%#]+$/, INTERFACE)
  .regex(/^(?!(?:default|all)$)/, KERNEL_WORD)
  .max(INTERFACE_NAME_MAX, 'an interface name')

/** Upper or lower case; `compile` writes it lower case. */
export const mac = z.mac('a MAC address, as 02:00:00:01:00:09')

export const address = z.union([z.ipv4(ADDRESS), z.ipv6(ADDRESS)], ADDRESS)

export const cidr = z.union([z.cidrv4(CIDR), z.cidrv6(CIDR)], CIDR)

/** `10.0.0.1`, `10.0.0.0/24`. */
export const addressOrSubnet = z.union(
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
  'an IP address or subnet, as 172.16.1.100, 172.16.1.0/24 or fd00::1',
)

export const cidr4 = z.cidrv4('an IPv4 subnet, as 172.16.1.0/24')

export const cidr6 = z.cidrv6('an IPv6 subnet, as fd00:1::/64')

/** `500ms`, `10s`, `5m`, `1h`. */
export const duration = z.string(DURATION).regex(/^\d{1,9}(?:ms|s|m|h)$/, DURATION)

export function integer(min: number, max: number, noun: string) {
  return z.int().min(min, `the smallest ${noun}`).max(max, `the largest ${noun}`)
}

export const udpPort = integer(1, 65_535, 'UDP port')

/** 576: every IPv4 host takes that much (RFC 1122 3.3.3). */
export const mtu = integer(576, 65_465, 'MTU')

export const vni = integer(1, 2 ** 24 - 1, 'VNI')

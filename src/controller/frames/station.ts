import { isIPv4 } from 'node:net'
import type { PortPlace } from '../../api/frames.js'
import { WeftError } from '../../common/errors.js'
import { didYouMean } from '../../common/guess.js'
import { type Mac, parseMac } from '../../model/mac.js'
import type { PlacedNetwork } from '../http/directory.js'

/** A MAC that some list of MACs knows. */
export interface KnownMac {
  readonly network: string
  readonly vni: number
  readonly mac: string
  readonly ip: readonly string[]
  readonly node: string | null
  readonly interface: string | null
}

/** Who sends: a station on a port. */
export interface Sender extends PortPlace {
  readonly network: PlacedNetwork
  readonly mac: Mac
  readonly ip: string | null
}

export interface Receiver {
  readonly mac: Mac
  readonly ip: string | null
  readonly node: string | null
  readonly interface: string | null
}

/**
 * PURE: the station that a user means by `NODE/INTERFACE`, a MAC or an IP.
 *
 * @throws WeftError W-3007 when nobody is known by it, W-3012 when several are
 */
export function findSender(
  text: string,
  networks: readonly PlacedNetwork[],
  macs: readonly KnownMac[],
  within?: string,
): Sender {
  const slash = text.indexOf('/')
  if (slash > 0) return senderAt(text.slice(0, slash), text.slice(slash + 1), networks, macs)
  const found = macs.filter((one) => isCalled(one, text) && (within === undefined || one.network === within))
  const one = only(text, found)
  const network = networks.find(({ vni }) => vni === one.vni)
  if (!network || one.node === null) {
    throw new WeftError('W-3012', `${text} is behind a VTEP that Weft does not run: no probe can start there`)
  }
  const place = one.interface ?? onlyPort(network, one.node, text)
  return { network, node: one.node, interface: place, mac: parseMac(one.mac)!, ip: addressOf(one, text) }
}

/** PURE: whom a user means by a MAC, known or not, or by an IP that is known in the network. @throws WeftError W-3007 */
export function findReceiver(text: string, network: PlacedNetwork, macs: readonly KnownMac[]): Receiver {
  const known = macs.find((one) => one.vni === network.vni && isCalled(one, text))
  if (known) {
    const { node, interface: name } = known
    return { mac: parseMac(known.mac)!, ip: addressOf(known, text), node, interface: name }
  }
  const mac = parseMac(text)
  if (mac === undefined) throw unknown(text, `network ${network.name}`)
  return { mac, ip: null, node: null, interface: null }
}

function senderAt(
  node: string,
  name: string,
  networks: readonly PlacedNetwork[],
  macs: readonly KnownMac[],
): Sender {
  const isHere = (port: PortPlace) => port.node === node && port.interface === name
  const network = networks.find(({ ports }) => ports.some(isHere))
  if (!network) {
    const all = networks.flatMap(({ ports }) => ports.map((port) => `${port.node}/${port.interface}`))
    const guess = didYouMean(`${node}/${name}`, all)
    throw new WeftError('W-3007', `there is no port ${node}/${name}${guess}`, { next: 'weft get ports' })
  }
  const station = macs.find((one) => one.vni === network.vni && one.node === node && one.interface === name)
  const alone = network.ports.filter((port) => port.node === node).length === 1
  const declared = macs.find((one) => one.vni === network.vni && one.node === node && one.interface === null)
  const allowed = network.ports.find(isHere)?.macs?.[0]
  const mac = station?.mac ?? (alone ? declared?.mac : undefined) ?? allowed
  if (mac === undefined) {
    throw new WeftError(
      'W-3012',
      `no station is known on ${node}/${name}: a probe would teach a MAC that is none`,
      {
        next: 'let it speak once, or start from a MAC of weft get macs',
      },
    )
  }
  const known = station ?? (declared?.mac === mac ? declared : undefined)
  const ip = known ? addressOf(known, '') : null
  return { network, node, interface: name, mac: parseMac(mac)!, ip }
}

function isCalled({ mac, ip }: KnownMac, text: string): boolean {
  return mac === text.toLowerCase() || ip.includes(text.toLowerCase())
}

/** The one that was asked for; else the first of IPv4, which probes can use. */
function addressOf({ ip }: KnownMac, text: string): string | null {
  return ip.find((one) => one === text.toLowerCase()) ?? ip.find((one) => isIPv4(one)) ?? null
}

function only(text: string, found: readonly KnownMac[]): KnownMac {
  const [first, ...others] = found
  if (!first) throw unknown(text, 'any network')
  if (others.length === 0) return first
  const names = [...new Set(found.map(({ network }) => network))].join(', ')
  throw new WeftError('W-3012', `${text} is in several networks: ${names}`, {
    next: 'choose one by --network',
  })
}

function onlyPort(network: PlacedNetwork, node: string, text: string): string {
  const ports = network.ports.filter((port) => port.node === node)
  if (ports.length === 1) return ports[0]!.interface
  const names = ports.map((port) => `${node}/${port.interface}`).join(', ') || 'none'
  throw new WeftError(
    'W-3012',
    `${text} is declared at ${node} and not heard yet: its port may be any of ${names}`,
    {
      next: `weft trace ${node}/INTERFACE …`,
    },
  )
}

function unknown(text: string, where: string): WeftError {
  return new WeftError('W-3007', `nobody in ${where} is known as ${text}`, { next: 'weft get macs' })
}

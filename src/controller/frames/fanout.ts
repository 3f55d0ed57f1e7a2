import type { Fanout, FanoutRequest } from '../../api/frames.js'
import { WeftError } from '../../common/errors.js'
import { didYouMean } from '../../common/guess.js'
import { formatMac, type Mac } from '../../model/mac.js'
import type { PlacedNetwork } from '../http/directory.js'
import { markedFrame } from './probe.js'
import { findSender, type KnownMac, type Sender } from './station.js'
import { deliveriesOf, type FramesDeps } from './trace.js'
import { newMarker, watchProbes } from './watch.js'

const BROADCAST = (2 ** 48 - 1) as Mac
const FRAME_BYTES = 60

/** Sends one marked broadcast, and counts its copies at every port of the network. */
export async function proveFanout(deps: FramesDeps, request: FanoutRequest): Promise<Fanout> {
  const sender = senderOf(deps, request)
  const { network } = sender
  const marker = newMarker()
  const ends = { source: sender.mac, destination: BROADCAST, sourceIp: null, destinationIp: null }
  const { frames, silent, lost } = await watchProbes(deps.control, {
    nodes: [...new Set([sender.node, ...network.ports.map(({ node }) => node)])],
    vni: network.vni,
    marker,
    from: sender,
    frame: markedFrame(ends, marker, FRAME_BYTES),
    count: 1,
    signal: deps.signal,
  })
  const delivered = deliveriesOf(frames)
  const ports = network.ports.map(({ node, interface: name }) => {
    const known = !silent.some((one) => one.node === node)
    const found = delivered.find((one) => one.node === node && one.interface === name)
    const expected = node === sender.node && name === sender.interface ? 0 : 1
    return { node, interface: name, copies: known ? (found?.frames ?? 0) : null, expected }
  })
  // A port that is none of the network's must get none.
  const strange = delivered
    .filter((one) => !ports.some((port) => port.node === one.node && port.interface === one.interface))
    .map(({ node, interface: name, frames: copies }) => ({ node, interface: name, copies, expected: 0 }))
  const all = [...ports, ...strange]
  return {
    network: network.name,
    vni: network.vni,
    from: { node: sender.node, interface: sender.interface, mac: formatMac(sender.mac) },
    exact: lost === 0 && all.every(({ copies, expected }) => copies === expected),
    ports: all,
    silent: [...silent],
  }
}

function senderOf({ directory, macs }: FramesDeps, { network: name, from }: FanoutRequest): Sender {
  const network = directory.networks.find((one) => one.name === name)
  if (!network) {
    const guess = didYouMean(
      name,
      directory.networks.map((one) => one.name),
    )
    throw new WeftError('W-3007', `there is no network "${name}"${guess}`, { next: 'weft get networks' })
  }
  if (from === undefined) return anySender(network, macs)
  const sender = findSender(from, directory.networks, macs, name)
  if (sender.network.vni === network.vni) return sender
  throw new WeftError('W-3012', `${from} is in network ${sender.network.name}, not in ${name}`)
}

/** Any port on which a station is known. */
function anySender(network: PlacedNetwork, macs: readonly KnownMac[]): Sender {
  for (const { node, interface: name } of network.ports) {
    const known = macs.find((one) => one.vni === network.vni && one.node === node && one.interface === name)
    if (known) return findSender(`${node}/${name}`, [network], macs)
  }
  throw new WeftError('W-3012', `no station of ${network.name} has been heard on a port yet`, {
    next: `let one speak, or weft fanout ${network.name} --from NODE/INTERFACE`,
  })
}

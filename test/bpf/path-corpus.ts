import type { Mac } from '../../src/model/mac.js'
import { ethernet, icmp, ipv4, ipv6, mac, type Packet, payload, tcp, udp, vlan } from './frames.js'
import { oddPackets } from './odd-packets.js'
import { damagedFrame, type Random } from './random-frames.js'
import { routerMac, underlayMac } from './rig-network.js'
import { otherVtep, vtep } from './stations.js'
import { encapsulated } from './through-tunnel.js'

const IP = 14
const UDP = IP + 20
const VXLAN = UDP + 8

/** Half of them right in every part, half of them odd or damaged. */
export function tenantFrame(random: Random, between: { from: Mac; to: Mac }): Uint8Array {
  if (random.below(2)) return ethernet(between, rightPacket(random))
  const models = Object.values(oddPackets).map((packet) => ethernet(between, packet))
  return damagedFrame(random, [between.from, between.to], models, 1514)
}

function rightPacket(random: Random): Packet {
  const data = random.bytes(random.below(random.pick([20, 200, 1400])))
  const ports = { from: 1 + random.below(65_535), to: 1 + random.below(65_535) }
  const segment = random.pick([
    () => udp(ports, data),
    () => tcp(ports, data),
    () => icmp({ id: 1, seq: 1 }, data),
  ])
  const trafficClass = random.below(256)
  const ttl = random.below(256)
  const packets = [
    () => ipv4({ from: '10.0.0.1', to: '10.0.0.2', ttl, trafficClass, options: random.below(4) }, segment()),
    () => ipv6({ from: 'fd00::1', to: 'fd00::2', hopLimit: ttl, trafficClass }, segment()),
  ]
  const packet = random.pick(packets)()
  return random.below(10) === 0 ? vlan(random.below(4096), packet) : packet
}

/** A frame of the underlay that carries `inner`: mostly as a VTEP would send it, else wrong in one part. */
export function tunnelFrame(random: Random, inner: Uint8Array): Uint8Array {
  const trafficClass = random.pick([0, 0, 1, 2, 3, random.below(256)])
  const from = random.below(12) ? vtep : otherVtep
  const frame = encapsulated(inner, { from, trafficClass, vni: random.below(12) ? 100 : 101 })
  if (random.below(8)) frame.fill(0, UDP + 6, UDP + 8) // as over IPv4: no checksum of UDP
  if (random.below(2)) return frame
  return random.pick(wrongs)(frame, random)
}

type Wrong = (frame: Uint8Array, random: Random) => Uint8Array

const wrongs: readonly Wrong[] = [
  (frame, random) => withByte(frame, IP + random.below(UDP - IP), random),
  (frame, random) => withByte(frame, UDP + random.below(8), random),
  (frame, random) => withByte(frame, VXLAN + random.below(8), random),
  (frame, random) => withByte(frame, random.below(14), random),
  // The same with a right checksum: only what the byte says is odd.
  (frame, random) => withChecksum(withByte(frame, IP + 1 + random.below(8), random)),
  (frame, random) => frame.subarray(0, 14 + random.below(frame.length - 14)),
  (frame, random) => Uint8Array.from([...frame, ...random.bytes(1 + random.below(20))]),
  (frame) => withOptions(frame),
  (frame) =>
    ethernet(
      { from: mac(routerMac), to: mac(underlayMac) },
      vlan(7, { etherType: 0x0800, bytes: frame.subarray(14) }),
    ),
  () => ethernet({ from: mac(routerMac), to: mac(underlayMac) }, payload(100)),
]

function withByte(frame: Uint8Array, at: number, random: Random): Uint8Array {
  const bytes = Uint8Array.from(frame)
  bytes[at] = random.below(256)
  return bytes
}

function withChecksum(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset)
  view.setUint16(IP + 10, 0)
  let sum = 0
  for (let at = IP; at < UDP; at += 2) sum += view.getUint16(at)
  sum = (sum & 0xffff) + (sum >>> 16)
  view.setUint16(IP + 10, ~(sum + (sum >>> 16)) & 0xffff)
  return frame
}

/** One word of no-operation options. */
function withOptions(frame: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from([...frame.subarray(0, UDP), 1, 1, 1, 1, ...frame.subarray(UDP)])
  const view = new DataView(bytes.buffer)
  view.setUint8(IP, 0x46)
  view.setUint16(IP + 2, view.getUint16(IP + 2) + 4)
  view.setUint16(IP + 10, 0)
  let sum = 0
  for (let at = IP; at < UDP + 4; at += 2) sum += view.getUint16(at)
  sum = (sum & 0xffff) + (sum >>> 16)
  view.setUint16(IP + 10, ~(sum + (sum >>> 16)) & 0xffff)
  return bytes
}

import type { Ip } from '../../src/model/ip.js'
import { SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import type { BpfObject } from '../../src/node/bpf/object.js'
import { plainConfig } from '../../src/node/bpf/values.fixture.js'
import { DataplaneRig, ifindexOf, loadObject, readUntil } from './dataplane-rig.js'
import { checksum, readVxlan } from './frames.js'
import { alice, bob, remote, vni, vtep } from './stations.js'

/** What a run over one of the paths came to: frames as hex, each with the device that it left by. */
export interface Passage {
  /** Sorted: what the VXLAN device takes in may be late, and what the fast path takes in not. */
  readonly frames: readonly string[]
  /** By reason, whichever program spoke it: packets and bytes. */
  readonly verdicts: Readonly<Record<string, string>>
  /** Of the one tunnel. */
  readonly packets: {
    readonly tx: number
    readonly rx: number
    readonly txFast: number
    readonly rxFast: number
  }
}

/** A node with every program on its device, and one network that may take the fast path or not. */
export class TwoPaths implements Disposable {
  readonly rig = new DataplaneRig()
  private readonly objects: readonly BpfObject[]

  constructor() {
    const { rig } = this
    for (const tap of rig.ports) rig.attach(rig.portIngress, tap.name)
    rig.attach(rig.tunnelIngress, 'weft-vxlan')
    const ingress = loadObject('underlay_ingress', rig.bpffs)
    const egress = loadObject('underlay_egress', rig.bpffs)
    rig.attach(ingress.program('underlay_ingress'), 'underlay')
    rig.attach(egress.program('underlay_egress'), 'underlay', 'egress')
    this.objects = [ingress, egress]
  }

  /** Alice is on the first port; Bob and Remote are behind the VTEP. `send` is called for each frame. */
  passage<T>(fastPath: boolean, frames: readonly T[], send: (rig: DataplaneRig, frame: T) => void): Passage {
    const { rig } = this
    this.prepare(fastPath)
    const seen: string[] = []
    for (const frame of frames) {
      send(rig, frame)
      this.collect(seen)
    }
    this.settle(seen)
    const { txPackets, rxPackets, txFast, rxFast } = rig.maps.tunnels.getSummed({ vni, vtep: vtep as Ip })!
    return {
      frames: seen.sort(),
      verdicts: this.verdicts(),
      packets: { tx: txPackets, rx: rxPackets, txFast, rxFast },
    }
  }

  [Symbol.dispose](): void {
    for (const object of this.objects) object[Symbol.dispose]()
    this.rig[Symbol.dispose]()
  }

  private prepare(fastPath: boolean): void {
    const { rig } = this
    rig.reset()
    rig.maps.config.set(
      { zero: 0 },
      {
        ...plainConfig,
        vxlanIfindex: rig.vxlanIfindex,
        underlayIfindex: ifindexOf('underlay'),
        vtep: '192.0.2.1' as Ip,
      },
    )
    const port1 = rig.addPort(rig.ports[0], vni)
    const port2 = rig.addPort(rig.ports[1], vni)
    const flags = SegmentFlag.SEGMENT_FLOOD_REPLICATE | (fastPath ? SegmentFlag.SEGMENT_FAST_PATH : 0)
    rig.addSegment(vni, { vteps: [vtep], ports: [port1, port2], flags, ageingS: 0 })
    rig.addLearned(vni, alice, port1)
    rig.addRemote(vni, bob, vtep)
    rig.addRemote(vni, remote, vtep)
  }

  private collect(seen: string[]): void {
    const { rig } = this
    for (const frame of rig.underlay.received()) {
      if (readVxlan(frame)) seen.push(`underlay ${hex(comparable(frame))}`)
    }
    for (const tap of rig.ports) for (const frame of tap.received()) seen.push(`${tap.name} ${hex(frame)}`)
    rig.takeEvents()
  }

  /** Until nothing comes any more: the VXLAN device's NAPI may be ksoftirqd's work. */
  private settle(seen: string[]): void {
    let quiet = 0
    readUntil(
      () => {
        const before = seen.length
        this.collect(seen)
        quiet = seen.length === before ? quiet + 1 : 0
        return quiet
      },
      (rounds) => rounds >= 50,
    )
  }

  private verdicts(): Record<string, string> {
    const sums = new Map<string, { packets: number; bytes: number }>()
    for (const { reason, packets, bytes } of this.rig.verdicts()) {
      const sum = sums.get(reason) ?? { packets: 0, bytes: 0 }
      sums.set(reason, { packets: sum.packets + packets, bytes: sum.bytes + bytes })
    }
    return Object.fromEntries(
      [...sums].map(([reason, { packets, bytes }]) => [reason, `${packets} packets, ${bytes} bytes`]),
    )
  }
}

const IP = 14
const ID = IP + 4
const CHECKSUM = IP + 10

/** Without the IP identification, which DF makes meaningless (RFC 6864); its checksum must be right. */
function comparable(frame: Uint8Array): Uint8Array {
  if (frame[12] !== 0x08 || checksum(frame.subarray(IP, IP + 20)) !== 0) return frame
  const bytes = Uint8Array.from(frame)
  bytes.fill(0, ID, ID + 2)
  bytes.fill(0, CHECKSUM, CHECKSUM + 2)
  return bytes
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

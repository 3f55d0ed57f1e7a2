import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { Mac } from '../../src/model/mac.js'
import { type LearnedEntry, SegmentFlag } from '../../src/node/bpf/abi.gen.js'
import { DataplaneRig } from './dataplane-rig.js'
import { alice, aliceToBob, otherVtep, vni, vtep, vtep6 } from './stations.js'
import { receiveThrough } from './through-tunnel.js'

/** A port by its number from 0, or a VTEP by its address. */
export type Place = number | string

export const dataplane =
  SegmentFlag.SEGMENT_LEARN_PORTS | SegmentFlag.SEGMENT_LEARN_TUNNELS | SegmentFlag.SEGMENT_FLOOD_REPLICATE

export const second = 1_000_000_000
export const now = () => Number(process.hrtime.bigint())
export const nowhere = { vtep: '::', ifindex: 0 }

/** The place before, as entries and events spell it. */
export const from = (place: { vtep: string; ifindex: number }) => ({
  fromVtep: place.vtep,
  fromIfindex: place.ifindex,
})

/** Alice, who speaks now on one of three ports, now behind one of three VTEPs, of a segment that learns from both. */
export interface MovingStation {
  readonly rig: DataplaneRig
  /** Anew, with these flags and this ageing time. */
  readonly segment: (change: { flags?: number; ageingS?: number }) => void
  /** Has a frame come from a place; what became of it. */
  readonly speak: (place: Place, frame?: Uint8Array) => string
  /** A place as entries and events spell it. */
  readonly at: (place: Place) => { vtep: string; ifindex: number }
  /** What is known of her. */
  readonly heard: () => LearnedEntry | undefined
  readonly change: (to: Partial<LearnedEntry>) => void
  /** As if the last move were longer ago than frames can be late. */
  readonly outlastHold: () => void
}

/** For one test file: hooks included. */
export function movingStation(): MovingStation {
  let rig: DataplaneRig
  let ports: number[]
  const key: { vni: number; mac: Mac } = { vni, mac: alice }

  beforeAll(() => {
    rig = new DataplaneRig()
    rig.attach(rig.tunnelIngress, 'weft-vxlan')
    rig.attach(rig.portIngress, 'port1')
  })
  afterAll(() => rig[Symbol.dispose]())
  beforeEach(() => {
    rig.reset()
    ports = rig.ports.map((tap) => rig.addPort(tap, vni))
    station.segment({})
  })

  const station: MovingStation = {
    get rig() {
      return rig
    },
    segment(change) {
      rig.addSegment(vni, { vteps: [vtep, otherVtep, vtep6], ports, flags: dataplane, ...change })
    },
    speak(place, frame = aliceToBob) {
      const verdicts =
        typeof place === 'number'
          ? rig.run(rig.portIngress, frame, { ifindex: ports[place]! }).verdicts
          : receiveThrough(rig, frame, { from: place })
      return verdicts[0]!.reason
    },
    at(place) {
      return typeof place === 'number'
        ? { vtep: '::', ifindex: ports[place]! }
        : { vtep: place as string, ifindex: 0 }
    },
    heard() {
      return rig.maps.learned.get(key)
    },
    change(to) {
      rig.maps.learned.set(key, { ...station.heard()!, ...to })
    },
    outlastHold() {
      station.change({ sinceNs: station.heard()!.sinceNs - 2 * second })
    },
  }
  return station
}

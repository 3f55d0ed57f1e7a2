import { WeftError } from '../../common/errors.js'
import type { Mac } from '../../model/mac.js'
import { LossKind, maps as layouts, type TapFilter } from '../bpf/abi.gen.js'
import { RingReader } from '../bpf/ring.js'
import type { CountMapOf, Dataplane, MapOf } from '../drivers/dataplane.js'
import type { NodeStatus } from '../status.js'
import { readFrame, type SeenFrame } from './record.js'

const SLOTS = layouts.taps.maxEntries
const FREE: TapFilter = {
  untilNs: 0,
  marker: 0,
  vni: 0,
  ifindex: 0,
  source: 0 as Mac,
  destination: 0 as Mac,
  flags: 0,
  snaplen: 0,
}

export interface OpenTap {
  /** Frames that found no room in the ring since; of any tap. */
  lost(): number
  close(): void
}

interface Slot {
  readonly sinceNs: number
  readonly deliveries: boolean
  readonly see: (frame: SeenFrame) => void
}

export interface TapsDeps {
  readonly dataplane: Dataplane
  readonly status: NodeStatus
  /** Makes the reconciler pass, which writes the flag and attaches port_egress. */
  readonly nudge: () => void
  readonly onError: (err: unknown) => void
}

/**
 * Who watches frames on this node. The filters are written here; the flag that
 * turns them on, and port_egress, are the reconciler's, so that the next daemon
 * takes them away should this one die.
 */
export class Taps implements Disposable {
  private readonly map: MapOf<'taps'>
  private readonly losses: CountMapOf<'losses'>
  private readonly open = new Map<number, Slot>()
  private waiting: (() => void)[] = []
  private ring: RingReader | undefined

  constructor(private readonly deps: TapsDeps) {
    this.map = deps.dataplane.map('taps')
    this.losses = deps.dataplane.perCpuMap('losses')
    for (let slot = 0; slot < SLOTS; slot++) this.map.set({ slot }, FREE) // an earlier daemon's
  }

  /**
   * In place when the promise resolves.
   *
   * @throws WeftError W-2121 when all slots are taken
   */
  async add(filter: TapFilter, deliveries: boolean, see: Slot['see']): Promise<OpenTap> {
    const slot = [...Array(SLOTS).keys()].find((one) => !this.open.has(one))
    if (slot === undefined) throw new WeftError('W-2121', `all ${SLOTS} taps of the node are taken`)
    const before = this.countLost()
    this.open.set(slot, { sinceNs: Number(process.hrtime.bigint()), deliveries, see })
    this.map.set({ slot }, filter)
    this.ring ??= this.readRing()
    await this.publish()
    return {
      lost: () => this.countLost() - before,
      close: () => this.remove(slot),
    }
  }

  /** The reconciler has passed. */
  passed(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const resolve of waiting) resolve()
  }

  [Symbol.dispose](): void {
    for (const slot of this.open.keys()) this.map.set({ slot }, FREE)
    this.open.clear()
    this.count()
    this.passed()
    this.ring?.[Symbol.dispose]()
    this.map[Symbol.dispose]()
    this.losses[Symbol.dispose]()
  }

  private remove(slot: number): void {
    if (!this.open.delete(slot)) return
    this.map.set({ slot }, FREE)
    this.count()
    this.deps.nudge()
    if (this.open.size > 0) return
    this.ring?.[Symbol.dispose]()
    this.ring = undefined
  }

  private publish(): Promise<void> {
    this.count()
    const passed = new Promise<void>((resolve) => this.waiting.push(resolve))
    this.deps.nudge()
    return passed
  }

  private count(): void {
    const { status } = this.deps
    status.taps = this.open.size
    status.deliveryTaps = [...this.open.values()].filter(({ deliveries }) => deliveries).length
  }

  private readRing(): RingReader {
    const { dataplane, onError } = this.deps
    return new RingReader(dataplane.framesFd, (...record) => this.show(readFrame(...record)), { onError })
  }

  private show(frame: SeenFrame): void {
    for (const [slot, { sinceNs, see }] of this.open) {
      // What an earlier tap of the slot left in the ring is not of this one.
      if ((frame.head.taps & (1 << slot)) !== 0 && frame.head.atNs >= sinceNs) see(frame)
    }
  }

  private countLost(): number {
    return this.losses.getSummed({ kind: LossKind.LOSS_TAP })?.count ?? 0
  }
}

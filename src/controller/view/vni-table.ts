import type { Ip } from '../../model/ip.js'
import type { Mac } from '../../model/mac.js'
import { type BindingChange, type BodyChange, encodeBody } from '../../model/segment-body.js'
import type { Binding, FdbEntry, SegmentSpec } from '../../model/segment-table.js'
import type { SegmentUpdate } from '../../model/segment-update.js'
import { SetHash } from '../../model/set-hash.js'

/** What a node holds of a segment, as far as its controller knows. */
export interface Held {
  readonly revision: bigint
  readonly hash: bigint
}

interface RingItem {
  readonly from_hash: bigint
  readonly delta: SegmentUpdate
}

const MIN_RING_BYTES = 4096
const EMPTY = new Uint8Array()

/**
 * PURE: one segment as the nodes are to have it, and how to get there from what
 * they hold. Every update is made once and given to all who need it, so what
 * encodes it may cache by identity.
 *
 * Recent deltas stay in a ring no larger than the snapshot that would replace
 * them: further behind, the whole segment is cheaper.
 */
export class VniTable {
  private readonly macs = new Map<Mac, FdbEntry>()
  private readonly addresses = new Map<Ip, Binding>()
  private readonly sum = new SetHash()
  private ring: RingItem[] = []
  private ringBytes = 0
  private cached: SegmentUpdate | undefined
  private cachedHash: bigint | undefined

  constructor(
    readonly vni: number,
    private segment: SegmentSpec,
    private at: bigint,
  ) {}

  /** Of the last change. */
  get revision(): bigint {
    return this.at
  }

  get hash(): bigint {
    this.cachedHash ??= this.sum.value
    return this.cachedHash
  }

  get spec(): SegmentSpec {
    return this.segment
  }

  get entries(): ReadonlyMap<Mac, FdbEntry> {
    return this.macs
  }

  get bindings(): ReadonlyMap<Ip, Binding> {
    return this.addresses
  }

  /** Makes `changes`, and `spec` when given, the state at `revision`. False: all of it was so already. */
  update(
    revision: bigint,
    changes: Iterable<BodyChange>,
    spec?: SegmentSpec,
    bindings: Iterable<BindingChange> = [],
  ): boolean {
    const before: Held = { revision: this.at, hash: this.hash }
    // Once for each MAC: a packed body has no order.
    const made = new Map<Mac, BodyChange>()
    for (const change of changes) if (this.set(change)) made.set(change.mac, change)
    const bound = new Map<Ip, BindingChange>()
    for (const change of bindings) if (this.bind(change)) bound.set(change.ip, change)
    const newSpec = spec && !sameSpec(spec, this.segment) ? spec : undefined
    if (made.size === 0 && bound.size === 0 && !newSpec) return false

    if (newSpec) this.segment = newSpec
    this.at = revision
    this.cached = undefined
    this.cachedHash = undefined
    this.remember(before, newSpec, encodeBody(made.values(), bound.values()))
    return true
  }

  /**
   * What brings a node from `held` to here, in order. The first is `unchanged`
   * when nothing does.
   */
  updatesFrom(held: Held | undefined): readonly SegmentUpdate[] {
    if (!held) return [this.snapshot()]
    if (held.revision === this.at && held.hash === this.hash) {
      return [this.step('unchanged', held.revision, undefined, EMPTY)]
    }
    const first = this.ring.findIndex(
      ({ delta, from_hash }) => delta.from_revision === held.revision && from_hash === held.hash,
    )
    if (first >= 0) return this.ring.slice(first).map(({ delta }) => delta)
    // Same MACs under a revision of another controller or of an earlier life: its spec is not known.
    if (held.hash === this.hash) return [this.step('delta', held.revision, this.segment, EMPTY)]
    return [this.snapshot()]
  }

  /** The whole segment; the same object until it changes. */
  snapshot(): SegmentUpdate {
    this.cached ??= this.step(
      'snapshot',
      0n,
      this.segment,
      encodeBody(
        [...this.macs].map(([mac, entry]) => ({ mac, entry })),
        [...this.addresses].map(([ip, binding]) => ({ ip, binding })),
      ),
    )
    return this.cached
  }

  private set({ mac, entry }: BodyChange): boolean {
    const before = this.macs.get(mac)
    if (before === entry || (before && entry && sameEntry(before, entry))) return false
    if (before) this.sum.remove(mac, before)
    if (entry) {
      this.macs.set(mac, entry)
      this.sum.add(mac, entry)
    } else this.macs.delete(mac)
    return true
  }

  private bind({ ip, binding }: BindingChange): boolean {
    const before = this.addresses.get(ip)
    if (before?.mac === binding?.mac && before?.router === binding?.router) return false
    if (before) this.sum.removeBinding(ip, before)
    if (binding) {
      this.addresses.set(ip, binding)
      this.sum.addBinding(ip, binding)
    } else this.addresses.delete(ip)
    return true
  }

  private remember(from: Held, spec: SegmentSpec | undefined, body: Uint8Array): void {
    this.ring.push({ from_hash: from.hash, delta: this.step('delta', from.revision, spec, body) })
    this.ringBytes += body.length
    const limit = Math.max(MIN_RING_BYTES, 6 * this.macs.size + 22 * this.addresses.size)
    while (this.ring.length > 0 && (this.ringBytes > limit || this.ring.length > 1024)) {
      this.ringBytes -= this.ring.shift()!.delta.body.length
    }
  }

  private step(
    kind: SegmentUpdate['kind'],
    from: bigint,
    spec: SegmentSpec | undefined,
    body: Uint8Array,
  ): SegmentUpdate {
    return {
      vni: this.vni,
      kind,
      from_revision: from,
      to_revision: this.at,
      hash: this.hash,
      ...(spec ? { spec } : {}),
      body,
    }
  }
}

function sameEntry(a: FdbEntry, b: FdbEntry): boolean {
  return a.vtep === b.vtep && a.static === b.static
}

function sameSpec({ members: a, ...scalars }: SegmentSpec, { members: b, ...others }: SegmentSpec): boolean {
  const keys = Object.keys(scalars) as (keyof typeof scalars)[]
  return (
    keys.every((key) => scalars[key] === others[key]) &&
    a.length === b.length &&
    a.every((member, i) => member === b[i])
  )
}

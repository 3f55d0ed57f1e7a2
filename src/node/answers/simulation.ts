import type { Ip } from '../../model/ip.js'
import { formatMac, isStation, type Mac } from '../../model/mac.js'
import type { LookedUp, Place, SimulateAnswer, SimulateQuestion } from '../../rpc/questions.js'
import type { FdbEntry, LearnedEntry, PortEntry, SegmentEntry } from '../bpf/abi.gen.js'
import { FdbFlag, PortFlag, SegmentFlag } from '../bpf/abi.gen.js'

/** The maps as they are now. */
export interface Tables {
  /** Of a port's name; `undefined`: no device. */
  ifindex(name: string): number | undefined
  name(ifindex: number): string
  port(ifindex: number): PortEntry | undefined
  segment(vni: number): SegmentEntry | undefined
  fdb(vni: number, mac: Mac): FdbEntry | undefined
  learned(vni: number, mac: Mac): LearnedEntry | undefined
  vtep(vni: number, vtep: Ip): boolean
  allowed(ifindex: number, mac: Mac): boolean
  readonly hasTunnel: boolean
  readonly nowNs: number
  readonly revision: bigint
}

type Verdict = Pick<SimulateAnswer, 'reason'> & Partial<Pick<SimulateAnswer, 'next' | 'group'>>

const ETHERNET_BYTES = 14

/**
 * What the programs would do with a frame, by the same ladder and the same
 * tables: PURE. It knows MACs and sizes; what is decided by addresses (guards,
 * answers to ARP and ND, ICMP) or by time (limits) only a live trace shows.
 */
export function simulate(question: SimulateQuestion, tables: Tables): SimulateAnswer {
  const run = new Run(question, tables)
  const verdict =
    'interface' in question.from ? run.fromPort(question.from.interface) : run.fromTunnel(question.from.vtep)
  return {
    kind: 'simulate',
    program: 'interface' in question.from ? 'port_ingress' : 'tunnel_ingress',
    looked_up: run.lookedUp,
    next: [],
    group: undefined,
    revision: tables.revision,
    ...verdict,
  }
}

class Run {
  readonly lookedUp: LookedUp[] = []
  private vni: number

  constructor(
    private readonly question: SimulateQuestion,
    private readonly tables: Tables,
  ) {
    this.vni = question.vni
  }

  fromPort(name: string): Verdict {
    const { source, destination, size } = this.question
    const ifindex = this.tables.ifindex(name)
    const port = ifindex === undefined ? undefined : this.tables.port(ifindex)
    this.note('ports', name, port ? `vni ${port.vni}, mtu ${port.mtu}` : '')
    if (ifindex === undefined || !port) return { reason: 'drop_unknown_port' }
    this.vni = port.vni
    const bad = badAddress(source, destination)
    if (bad) return { reason: bad }
    const segment = this.segment()
    if (!segment) return { reason: 'drop_unknown_segment' }
    if (port.flags & PortFlag.PORT_FILTER_MAC && !this.allowed(ifindex)) return { reason: 'drop_spoofed_mac' }
    if (size - ETHERNET_BYTES > port.mtu) return { reason: 'drop_over_mtu' }
    if (this.isStaticElsewhere(undefined)) return { reason: 'drop_static_elsewhere' }
    return this.forward(ifindex, segment)
  }

  fromTunnel(from: Ip): Verdict {
    const { source, destination } = this.question
    const segment = this.segment()
    if (!segment) return { reason: 'drop_unknown_vni' }
    const known = this.tables.vtep(this.vni, from)
    this.note('vteps', `${this.vni} ${from}`, known ? 'let in' : '')
    if (!known) return { reason: 'drop_unknown_vtep' }
    const bad = badAddress(source, destination)
    if (bad) return { reason: bad }
    if (this.isStaticElsewhere(from)) return { reason: 'drop_static_elsewhere' }
    const learned = isGroup(destination) ? undefined : this.learned(segment)
    if (learned && 'interface' in learned) return { reason: 'forward_local', next: [learned] }
    return this.flood(segment, { from: 0, tunnels: false })
  }

  private forward(from: number, segment: SegmentEntry): Verdict {
    const { destination } = this.question
    if (isGroup(destination)) return this.flood(segment, { from, tunnels: true })
    const entry = this.fdb(destination)
    if (entry && !(entry.flags & FdbFlag.FDB_LOCAL)) return this.encapsulate(entry.vtep)
    const learned = this.learned(segment)
    if (learned && 'vtep' in learned) return this.encapsulate(learned.vtep)
    if (!learned) return this.flood(segment, { from, tunnels: !entry })
    const back = learned.interface === this.tables.name(from)
    return back ? { reason: 'drop_same_port' } : { reason: 'forward_local', next: [learned] }
  }

  private encapsulate(vtep: Ip): Verdict {
    return this.tables.hasTunnel
      ? { reason: 'forward_tunnel', next: [{ vtep }] }
      : { reason: 'drop_no_tunnel' }
  }

  private flood(segment: SegmentEntry, opts: { from: number; tunnels: boolean }): Verdict {
    const { tables } = this
    const ports = segment.port
      .filter((ifindex) => ifindex !== opts.from && tables.port(ifindex)?.vni === this.vni)
      .map((ifindex): Place => ({ interface: tables.name(ifindex) }))
    const group = opts.tunnels && segment.flags & SegmentFlag.SEGMENT_FLOOD_GROUP ? segment.group : undefined
    const replicate = opts.tunnels && !group && segment.flags & SegmentFlag.SEGMENT_FLOOD_REPLICATE
    const vteps = replicate ? segment.vtep.map((vtep): Place => ({ vtep })) : []
    if (!tables.hasTunnel && ports.length === 0 && (group || vteps.length > 0))
      return { reason: 'drop_no_tunnel' }
    const far = tables.hasTunnel ? { next: [...ports, ...vteps], group } : { next: ports, group: undefined }
    if (far.next.length === 0 && !far.group) return { reason: 'drop_no_member' }
    return { reason: 'forward_flood', ...far }
  }

  private segment(): SegmentEntry | undefined {
    const segment = this.tables.segment(this.vni)
    const flood = segment && `${segment.port.length} ports, ${segment.vtep.length} VTEPs`
    this.note('segments', `${this.vni}`, flood ?? '')
    return segment
  }

  private allowed(ifindex: number): boolean {
    const allowed = this.tables.allowed(ifindex, this.question.source)
    this.note('allowed_macs', formatMac(this.question.source), allowed ? 'allowed' : '')
    return allowed
  }

  private fdb(mac: Mac): FdbEntry | undefined {
    const entry = this.tables.fdb(this.vni, mac)
    const value = entry && (entry.flags & FdbFlag.FDB_LOCAL ? 'here' : entry.vtep)
    const how = entry && entry.flags & FdbFlag.FDB_STATIC ? ' static' : ''
    this.note(
      'fdb',
      `${this.vni} ${formatMac(mac)}`,
      entry ? `${value}${how}` : '',
      BigInt(entry?.revision ?? 0),
    )
    return entry
  }

  private isStaticElsewhere(vtep: Ip | undefined): boolean {
    const entry = this.tables.fdb(this.vni, this.question.source)
    if (!entry || !(entry.flags & FdbFlag.FDB_STATIC)) return false
    const local = (entry.flags & FdbFlag.FDB_LOCAL) !== 0
    const elsewhere = vtep === undefined ? !local : local || entry.vtep !== vtep
    if (elsewhere) this.fdb(this.question.source)
    return elsewhere
  }

  private learned(segment: SegmentEntry): Place | undefined {
    const { destination } = this.question
    const entry = this.tables.learned(this.vni, destination)
    const aged = entry && segment.ageingS > 0 && this.tables.nowNs - entry.seenNs >= segment.ageingS * 1e9
    const place = entry && !aged ? this.placeOf(entry) : undefined
    const value = place && ('interface' in place ? place.interface : place.vtep)
    this.note('learned', `${this.vni} ${formatMac(destination)}`, value ?? (aged ? 'aged' : ''))
    return place
  }

  private placeOf({ ifindex, vtep }: LearnedEntry): Place | undefined {
    if (ifindex === 0) return this.tables.vtep(this.vni, vtep) ? { vtep } : undefined
    return this.tables.port(ifindex)?.vni === this.vni ? { interface: this.tables.name(ifindex) } : undefined
  }

  private note(map: string, key: string, value: string, revision = 0n): void {
    this.lookedUp.push({ map, key, value, revision })
  }
}

function badAddress(source: Mac, destination: Mac): string | undefined {
  if (!isStation(source)) return 'drop_source_mac'
  return formatMac(destination).startsWith('01:80:c2:00:00:0') ? 'drop_link_local' : undefined
}

/** The I/G bit. */
function isGroup(mac: Mac): boolean {
  return Math.floor(mac / 2 ** 40) % 2 === 1
}

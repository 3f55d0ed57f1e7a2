import { type Ip, vxlanOverhead } from '../../model/ip.js'
import type { LabEndpoint } from '../lab-spec.js'
import type { Finding, Path } from '../problem.js'
import type { LabContext } from './lab-context.js'
import type { CompiledNetwork } from './networks.js'

/** CIDR text and where the file says it. */
export interface PlacedAddress {
  readonly cidr: string
  readonly path: Path
}

/** What an endpoint is before the rest of its record follows from its network. */
export interface EndpointDraft {
  readonly name: string
  readonly node: string
  readonly interface: string
  readonly bridge?: string
  readonly network: CompiledNetwork
  readonly mac?: string
  readonly addresses: readonly PlacedAddress[]
  readonly mtu?: number
}

const MAX_ENDPOINTS = 4096
/** Smallest MTU of a link that carries IPv6 (RFC 8200 5). */
const IPV6_MIN_MTU = 1280

/** Endpoints by name, and what may be there only once: names, ports, MACs and addresses of a network. */
export class EndpointTable {
  readonly endpoints = new Map<string, LabEndpoint>()
  private readonly names = new Set<string>()
  private readonly taken = new Map<string, string>()

  constructor(private readonly context: LabContext) {}

  get full(): boolean {
    return this.names.size >= MAX_ENDPOINTS
  }

  /** Keeps the name of an endpoint that could not be made, so that others do not get it. */
  reserve(name: string): void {
    this.names.add(name)
  }

  /** Whether an endpoint can have the name; says why not. */
  isFree(name: string, path: Path, more: Pick<Finding, 'at' | 'hint'> = {}): boolean {
    const { nodes, findings, lab } = this.context
    if (this.full) findings.add('W-1111', ['lab'], `more than ${MAX_ENDPOINTS} endpoints`)
    else if (this.names.has(name)) {
      findings.add('W-1112', path, `there is an endpoint ${name} already`, more)
    } else if (nodes.has(name)) {
      findings.add('W-1112', path, `${name} is the name of a node; an endpoint needs another`, more)
    } else if (Object.hasOwn(lab.segments, name)) {
      findings.add('W-1112', path, `${name} is the name of a segment; an endpoint needs another`, more)
    } else return true
    return false
  }

  add(draft: EndpointDraft, path: Path): void {
    if (!this.isFree(draft.name, path, { at: 'key' })) return
    this.names.add(draft.name)
    this.checkUnique(draft, path)
    this.checkStaticMac(draft, path)
    const mtu = this.mtuOf(draft, path)
    const { spec } = draft.network
    const addresses = draft.addresses.map(({ cidr }) => cidr)
    this.endpoints.set(draft.name, { ...draft, addresses, network: spec.name, vni: spec.vni, mtu })
  }

  private checkUnique(draft: EndpointDraft, path: Path): void {
    const network = draft.network.spec.name
    const port = `${draft.node}/${draft.interface}`
    this.take(`port ${port}`, draft.name, (owner) => {
      const text = `endpoint ${owner} is attached to ${port} already`
      this.context.findings.add('W-1103', [...path, 'attach'], text)
    })
    if (draft.mac !== undefined) {
      this.take(`mac ${network} ${draft.mac}`, draft.name, (owner) => {
        const text = `${draft.mac} is the MAC address of ${owner} in network ${network} already`
        this.context.findings.add('W-1105', [...path, 'mac'], text)
      })
    }
    for (const { cidr, path } of draft.addresses) {
      const address = cidr.slice(0, cidr.lastIndexOf('/'))
      this.take(`ip ${network} ${address}`, draft.name, (owner) => {
        const text = `${address} of ${draft.name} is an address of ${owner} in network ${network} already`
        this.context.findings.add('W-1102', path, text)
      })
    }
  }

  private take(key: string, name: string, clash: (owner: string) => void): void {
    const owner = this.taken.get(key)
    if (owner === undefined) this.taken.set(key, name)
    else clash(owner)
  }

  /** A static MAC has one place; an endpoint with it elsewhere would be cut off. */
  private checkStaticMac({ mac, node, network }: EndpointDraft, path: Path): void {
    const entry = network.spec.static.find((known) => known.mac === mac)
    if (mac === undefined || !entry || entry.node === node) return
    const place = entry.node ?? entry.remote ?? 'nowhere'
    const text = `${mac} is static at ${place} in network ${network.spec.name}, not at ${node}`
    this.context.findings.add('W-1105', [...path, 'mac'], text)
  }

  private mtuOf(draft: EndpointDraft, path: Path): number {
    const { nodes, underlayMtu, findings } = this.context
    const address = nodes.get(draft.node)?.spec.underlay?.address ?? ''
    const room = (underlayMtu.get(draft.node) ?? 1500) - vxlanOverhead(address as Ip)
    const largest = draft.network.spec.mtu === 'auto' ? room : Math.min(draft.network.spec.mtu, room)
    const mtu = draft.mtu ?? largest
    if (mtu > largest) {
      const text = `MTU ${mtu} is over ${largest}, what network ${draft.network.spec.name} carries on ${draft.node}`
      findings.add('W-1106', [...path, 'mtu'], text)
    }
    if (mtu < IPV6_MIN_MTU && draft.addresses.some(({ cidr }) => cidr.includes(':'))) {
      const text = `MTU ${mtu} is under ${IPV6_MIN_MTU}, the least that IPv6 works with`
      findings.add('W-1106', draft.mtu ? [...path, 'mtu'] : path, text, { at: draft.mtu ? 'value' : 'key' })
    }
    return mtu
  }
}

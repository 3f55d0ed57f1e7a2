import { canonicalIp } from '../../model/ip.js'
import type { LabEndpoint, LabTraffic } from '../lab-spec.js'
import type { Path } from '../problem.js'
import type { Traffic } from '../schema/lab.js'
import { address as addressSchema } from '../schema/scalars.js'
import { milliseconds } from './durations.js'
import type { Findings } from './findings.js'
import type { Endpoints, LabContext } from './lab-context.js'

export function compileTraffic(context: LabContext, endpoints: Endpoints): LabTraffic[] {
  return context.lab.traffic.flatMap((traffic, index) => {
    const path = ['lab', 'traffic', index]
    const from = endpointAt(traffic.from, [...path, 'from'], endpoints, context)
    const address = targetOf(traffic, from, [...path, 'to'], endpoints, context)
    return address === undefined ? [] : [trafficOf(traffic, address)]
  })
}

function trafficOf(traffic: Traffic, address: string): LabTraffic {
  const { from, to, flows, count } = traffic
  const every_ms = milliseconds(traffic.every)
  const ends = { from, to, address, flows, every_ms, ...(count === undefined ? {} : { count }) }
  return traffic.kind === 'ping'
    ? { kind: 'ping', ...ends, size: traffic.size }
    : { kind: 'tcp', ...ends, duration_ms: milliseconds(traffic.duration) }
}

/** Of an endpoint that is in the file but could not be made, its own finding says enough. */
export function endpointAt(
  name: string,
  path: Path,
  endpoints: Endpoints,
  { lab, findings }: LabContext,
): LabEndpoint | undefined {
  const endpoint = endpoints.get(name)
  if (!endpoint && !Object.hasOwn(lab.endpoints, name))
    findings.unknown('endpoint', name, path, endpoints.keys())
  return endpoint
}

/** Addresses of `to` in the families that both have, IPv4 first. */
export function sharedAddresses(from: LabEndpoint, to: LabEndpoint): string[] {
  const families = new Set(from.addresses.map(isV6))
  return to.addresses
    .filter((cidr) => families.has(isV6(cidr)))
    .map((cidr) => cidr.slice(0, cidr.lastIndexOf('/')))
    .sort((a, b) => Number(isV6(a)) - Number(isV6(b)))
}

function targetOf(
  traffic: Traffic,
  from: LabEndpoint | undefined,
  path: Path,
  endpoints: Endpoints,
  context: LabContext,
): string | undefined {
  if (addressSchema.safeParse(traffic.to).success) return canonicalIp(traffic.to)
  const to = endpointAt(traffic.to, path, endpoints, context)
  if (!from || !to) return undefined
  const [address] = sharedAddresses(from, to)
  if (address === undefined) addNoSharedFamily(from.name, to.name, path, context.findings)
  return address
}

export function addNoSharedFamily(from: string, to: string, path: Path, findings: Findings): void {
  findings.add('W-1100', path, `${from} and ${to} have no addresses of the same family`)
}

function isV6(cidr: string): boolean {
  return cidr.includes(':')
}

import type { LabCheck } from '../lab-spec.js'
import type { Path } from '../problem.js'
import type { Check } from '../schema/lab.js'
import { listed } from '../words.js'
import { milliseconds } from './durations.js'
import type { Endpoints, LabContext } from './lab-context.js'
import { addNoSharedFamily, endpointAt, sharedAddresses } from './lab-traffic.js'

export function compileChecks(context: LabContext, endpoints: Endpoints): LabCheck[] {
  return context.lab.checks.flatMap((check, index) => {
    const compiled = compileCheck(check, ['lab', 'checks', index], context, endpoints)
    return compiled ? [compiled] : []
  })
}

function compileCheck(
  check: Check,
  path: Path,
  context: LabContext,
  endpoints: Endpoints,
): LabCheck | undefined {
  const timing = { after_ms: milliseconds(check.after), within_ms: milliseconds(check.within) }
  switch (check.kind) {
    case 'ping_mesh':
    case 'mtu':
    case 'flood_free':
    case 'fanout': {
      const networks = networksOf(check.network, path, context)
      const name = check.name ?? `${ofNetworks[check.kind]} ${listed(networks)}`
      return { kind: check.kind, name, ...timing, networks }
    }
    case 'isolation':
      return isolation(check, path, timing, context)
    case 'tcp':
      return tcp(check, path, timing, context, endpoints)
    case 'mac_move':
      return macMove(check, path, timing, context, endpoints)
  }
}

const ofNetworks = {
  ping_mesh: 'mesh of',
  mtu: 'full-size packets pass in',
  flood_free: 'ARP and ND flood nothing in',
  fanout: 'exact copies in',
} as const

type Timing = Pick<LabCheck, 'after_ms' | 'within_ms'>

function networksOf(network: string | undefined, path: Path, { networks, findings }: LabContext): string[] {
  if (network === undefined) return [...networks.byName.keys()]
  if (!networks.byName.has(network)) {
    findings.unknown('network', network, [...path, 'network'], networks.byName.keys())
  }
  return [network]
}

function isolation(
  check: Extract<Check, { kind: 'isolation' }>,
  path: Path,
  timing: Timing,
  { networks, findings }: LabContext,
): LabCheck {
  for (const [index, network] of check.between.entries()) {
    const where = [...path, 'between', index]
    if (!networks.byName.has(network)) findings.unknown('network', network, where, networks.byName.keys())
    else if (check.between.indexOf(network) < index) {
      findings.add('W-1112', where, `${network} is listed twice`)
    }
  }
  const name = check.name ?? `${listed(check.between)} are isolated`
  return { kind: 'isolation', name, ...timing, networks: check.between }
}

function tcp(
  check: Extract<Check, { kind: 'tcp' }>,
  path: Path,
  timing: Timing,
  context: LabContext,
  endpoints: Endpoints,
): LabCheck | undefined {
  const from = endpointAt(check.from, [...path, 'from'], endpoints, context)
  const to = endpointAt(check.to, [...path, 'to'], endpoints, context)
  if (!from || !to) return undefined
  const addresses = sharedAddresses(from, to)
  if (addresses.length === 0) addNoSharedFamily(from.name, to.name, [...path, 'to'], context.findings)
  return {
    kind: 'tcp',
    name: check.name ?? `TCP from ${check.from} to ${check.to}`,
    ...timing,
    from: check.from,
    to: check.to,
    addresses,
    flows: check.flows,
    duration_ms: milliseconds(check.duration),
  }
}

function macMove(
  { name, endpoint, to }: Extract<Check, { kind: 'mac_move' }>,
  path: Path,
  timing: Timing,
  context: LabContext,
  endpoints: Endpoints,
): LabCheck | undefined {
  const mover = endpointAt(endpoint, [...path, 'endpoint'], endpoints, context)
  if (!mover) return undefined
  const text = name ?? `${endpoint} is followed to ${to}`
  return { kind: 'mac_move', name: text, ...timing, endpoint, from: mover.node, to }
}

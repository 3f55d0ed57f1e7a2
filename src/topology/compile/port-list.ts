import type { PortSpec } from '../../model/desired-state.js'
import type { Path } from '../problem.js'
import type { Network } from '../schema/networks.js'
import type { Port } from '../schema/ports.js'
import { show } from '../words.js'
import { guardedAddress } from './cidr.js'
import type { Findings } from './findings.js'
import { addNotMember, type CompileContext } from './nodes.js'
import type { PortTable } from './ports.js'
import { checkStation } from './stations.js'

/** The ports that a network lists; those that cannot be had are left out, with the reason. */
export function compilePorts(
  name: string,
  network: Network,
  members: ReadonlySet<string>,
  table: PortTable,
  { nodes, findings }: CompileContext,
): PortSpec[] {
  const ports: PortSpec[] = []
  for (const [index, written] of network.ports.entries()) {
    const path = ['networks', name, 'ports', index]
    const port = compilePort(written, path, findings)
    if (!port) continue
    const paths = { node: [...path, 'node'], interface: [...path, port.kind ?? 'interface'] }
    if (!table.claim(port, name, paths)) continue
    if (nodes.has(port.node) && !members.has(port.node)) {
      addNotMember(port.node, name, [...path, 'node'], findings)
    }
    ports.push(port)
  }
  return ports
}

function compilePort(written: Port, path: Path, findings: Findings): PortSpec | undefined {
  const { node, interface: device, bridge, router } = written
  if (device !== undefined && bridge !== undefined) {
    findings.add('W-1006', [...path, 'bridge'], 'a port has an `interface` or a `bridge`, not both')
    return undefined
  }
  const name = device ?? bridge
  if (name === undefined) {
    findings.add('W-1001', path, 'a port needs an `interface` or a `bridge`')
    return undefined
  }
  const macs = written.macs && macsOf(written.macs, [...path, 'macs'], findings)
  const addresses = written.addresses && addressesOf(written.addresses, [...path, 'addresses'], findings)
  return {
    node,
    interface: name,
    ...(bridge === undefined ? {} : { kind: 'bridge' }),
    ...(macs ? { macs } : {}),
    ...(addresses ? { addresses } : {}),
    ...(router ? { router } : {}),
  }
}

function macsOf(written: readonly string[], path: Path, findings: Findings): string[] {
  const macs = written.map((mac) => mac.toLowerCase())
  for (const [index, mac] of macs.entries()) {
    checkStation(mac, [...path, index], findings)
    if (macs.indexOf(mac) < index) findings.add('W-1105', [...path, index], `${mac} is listed twice`)
  }
  return macs
}

function addressesOf(written: readonly string[], path: Path, findings: Findings): string[] {
  const addresses: string[] = []
  for (const [index, text] of written.entries()) {
    const { subnet, problem, hint } = guardedAddress(text)
    const where = [...path, index]
    if (problem) findings.add('W-1006', where, `${show(text)} ${problem}`, hint ? { hint } : {})
    else if (addresses.includes(subnet)) findings.add('W-1102', where, `${subnet} is listed twice`)
    else addresses.push(subnet)
  }
  return addresses
}

import type { PortSpec } from '../../model/desired-state.js'
import { INTERFACE_NAME_MAX } from '../schema/scalars.js'
import { show } from '../words.js'
import type { LabContext } from './lab-context.js'
import type { CompiledNetwork } from './networks.js'
import { addNotMember } from './nodes.js'
import type { PortPaths } from './ports.js'

/** Adds the port that an endpoint brings along; false when it cannot be had, and then says why. */
export function addImpliedPort(
  port: PortSpec,
  network: CompiledNetwork,
  paths: PortPaths,
  { networks, findings }: LabContext,
): boolean {
  const { length } = port.interface
  if (length > INTERFACE_NAME_MAX) {
    const text = `${show(port.interface)} has ${length} characters; as an interface name it can have ${INTERFACE_NAME_MAX}`
    findings.add('W-1107', paths.interface, text, paths.at ? { at: paths.at } : {})
    return false
  }
  if (!network.members.has(port.node)) {
    addNotMember(port.node, network.spec.name, paths.node, findings)
    return false
  }
  if (!networks.ports.claim(port, network.spec.name, paths)) return false
  network.ports.push(port)
  return true
}

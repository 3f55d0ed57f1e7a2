import { WeftError } from '../../common/errors.js'
import { DEVICE } from '../drivers/device.js'
import type { NodeStatus } from '../status.js'

/** @throws WeftError W-2104 when the node has no such port, nor the VXLAN device of that name */
export function ifindexOf(name: string, { ports, tunnel }: NodeStatus): number {
  const port = ports.find((one) => one.interface === name)
  if (port) return port.ifindex
  if (name === DEVICE && tunnel) return tunnel.ifindex
  const known = ports.map((one) => one.interface).join(', ') || 'none'
  throw new WeftError('W-2104', `no port ${name}; ports here: ${known}`, { next: 'weft get ports' })
}

/** As users know it; a device that is no port any more by its number. */
export function interfaceOf(ifindex: number, { ports, tunnel }: NodeStatus): string {
  if (tunnel?.ifindex === ifindex) return DEVICE
  return ports.find((port) => port.ifindex === ifindex)?.interface ?? `ifindex ${ifindex}`
}

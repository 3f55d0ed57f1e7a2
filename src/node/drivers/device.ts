import { WeftError } from '../../common/errors.js'
import { vxlanOverhead } from '../../model/ip.js'
import type { NodeAssignment, NodeState } from '../../model/segment-table.js'
import type { Failure } from '../../rpc/records.js'
import { listAddresses } from '../netlink/address.js'
import { createVxlan, deleteLink, type Link, setLink } from '../netlink/link.js'
import { failureOf } from '../reconcile/failure.js'
import type { Driver } from '../reconcile/reconciler.js'
import type { NodeStatus, Tunnel } from '../status.js'
import type { Links } from './links.js'
import { nameHolder } from './udp-holder.js'

/** The one VXLAN device of a node, and its mark, by which a process that has forgotten all knows it again. */
export const DEVICE = 'weft-vxlan'
export const ALIAS = 'weft'

const LEAST_MTU = 68 // RFC 791

/**
 * The VXLAN device: made when absent, adopted when right, repaired when not. It
 * is in metadata mode: the programs pick VNI and VTEP of each frame. A device of
 * that name that is not ours is left alone. A node without underlay has none.
 */
export class DeviceDriver implements Driver<NodeState> {
  readonly name = 'device'
  private had: number | undefined

  constructor(
    private readonly links: Links,
    private readonly status: NodeStatus,
  ) {}

  async apply({ assignment }: NodeState, { resync }: { resync: boolean }): Promise<Failure[]> {
    await this.links.refresh(resync)
    if (assignment.underlay_dev === '') {
      await this.remove()
      this.status.tunnel = undefined
      this.status.tunnelMtu = undefined
      return []
    }
    const what = `device ${DEVICE}`
    const underlay = this.links.byName.get(assignment.underlay_dev)
    if (!underlay) {
      this.status.tunnel = this.present(assignment.udp_port)
      return [failureOf(noUnderlay(assignment), `underlay ${assignment.underlay_dev}`)]
    }
    const mtu = underlay.mtu - vxlanOverhead(assignment.vtep)
    this.status.tunnelMtu = Math.max(mtu, LEAST_MTU)
    try {
      if (mtu < LEAST_MTU) throw tooSmall(underlay, mtu)
      this.status.tunnel = await this.ensure(assignment.udp_port, mtu)
    } catch (err) {
      await this.links.refresh(true)
      this.status.tunnel = this.present(assignment.udp_port)
      if (!(err instanceof WeftError)) throw err
      return [failureOf(await nameHolder(err, assignment.udp_port), what)]
    }
    return this.checkAddress(assignment, underlay)
  }

  /** Takes the device away, if it is ours. */
  async remove(): Promise<void> {
    await this.links.refresh()
    const device = this.links.byName.get(DEVICE)
    if (!device || !isOurs(device)) return
    await deleteLink(device.ifindex)
    this.links.expire()
    this.had = undefined
  }

  // What works goes on working, whatever could not be changed about it.
  private present(port: number): Tunnel | undefined {
    const device = this.links.byName.get(DEVICE)
    return device?.up && isOurs(device) && device.vxlan?.port === port ? device : undefined
  }

  private async ensure(port: number, mtu: number): Promise<Tunnel> {
    let device = this.links.byName.get(DEVICE)
    if (device && !isOurs(device)) throw foreign(device)
    if (device && (device.vxlan?.port !== port || !device.vxlan.external)) {
      await deleteLink(device.ifindex)
      device = undefined
    }
    if (!device) {
      device = await createVxlan({ name: DEVICE, port, mtu, alias: ALIAS })
      this.links.expire()
      if (this.had !== undefined) this.status.repaired(this.name, 1)
    }
    const repair = {
      ...(device.mtu !== mtu && { mtu }),
      ...(device.alias !== ALIAS && { alias: ALIAS }),
      ...(!device.up && { up: true }),
    }
    if (Object.keys(repair).length > 0) {
      await setLink({ ifindex: device.ifindex, ...repair })
      this.links.expire()
      if (this.had === device.ifindex) this.status.repaired(this.name, 1)
    }
    this.had = device.ifindex
    return { ifindex: device.ifindex, mtu }
  }

  // Peers accept frames of the declared VTEP only.
  private async checkAddress({ vtep, underlay_dev }: NodeAssignment, underlay: Link): Promise<Failure[]> {
    const addresses = await listAddresses()
    const found = addresses.find(({ ifindex, address }) => ifindex === underlay.ifindex && address === vtep)
    if (found && !found.tentative) return []
    const error = found
      ? new WeftError('W-2108', `${vtep} on ${underlay_dev} has not passed duplicate address detection`, {
          next: `ip -6 address show dev ${underlay_dev}`,
        })
      : new WeftError('W-2108', `${underlay_dev} has no address ${vtep}: nothing can be sent from it`, {
          next: `ip address add ${vtep} dev ${underlay_dev}, or correct the topology`,
        })
    return [failureOf(error, `underlay ${underlay_dev}`)]
  }
}

/** A daemon that was killed between making the device and marking it left no alias. */
function isOurs(device: Link): boolean {
  if (device.kind !== 'vxlan') return false
  return device.alias === ALIAS || (device.alias === undefined && device.vxlan?.external === true)
}

function foreign(device: Link): WeftError {
  const kind = device.kind ?? 'device'
  return new WeftError(
    'W-2112',
    `a ${kind} named ${DEVICE} exists and is not Weft's (its alias is ${device.alias ? `"${device.alias}"` : 'empty'})`,
    { next: `ip link set ${DEVICE} name <another>, or ip link delete ${DEVICE}` },
  )
}

function noUnderlay({ underlay_dev: dev }: NodeAssignment): WeftError {
  return new WeftError('W-2105', `underlay device ${dev} does not exist`, {
    next: `ip link show, then correct underlay.dev in the topology`,
  })
}

function tooSmall(underlay: Link, mtu: number): WeftError {
  const message = `MTU ${underlay.mtu} of ${underlay.name} leaves ${mtu} bytes to a tunnel`
  return new WeftError('W-2110', message, { next: `ip link set ${underlay.name} mtu 1500` })
}

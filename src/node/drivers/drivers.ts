import type { NodeState } from '../../model/segment-table.js'
import { maps as layouts, NodeFlag } from '../bpf/abi.gen.js'
import { wantedAllowedIps, wantedAllowedMacs } from '../reconcile/allowed.js'
import type { Driver } from '../reconcile/reconciler.js'
import { wantedPorts, wantedSegments, wantedVteps } from '../reconcile/tables.js'
import type { NodeStatus } from '../status.js'
import { AttachDriver, DetachDriver } from './attach.js'
import { BridgePortDriver } from './bridge-port.js'
import type { Dataplane } from './dataplane.js'
import { DeviceDriver } from './device.js'
import { FastPathDriver } from './fast-path.js'
import { GroupDriver } from './group.js'
import type { Links } from './links.js'
import { PortDriver } from './port.js'
import { SegmentMapDriver } from './segment-map.js'
import { fdbLayout, neighborsLayout } from './segment-maps.js'
import { TableDriver } from './table.js'

/** Of the outer header, as the kernel's own VXLAN devices have it unless told otherwise. */
const TTL = 64

/**
 * All that writes kernel state, in the order of its making: devices, tables,
 * programs. What goes is taken away in reverse: programs before tables.
 */
export function makeDrivers(deps: {
  readonly node: string
  readonly dataplane: Dataplane
  readonly links: Links
  readonly status: NodeStatus
}): Driver<NodeState>[] {
  const { node, dataplane, links, status } = deps
  return [
    new DeviceDriver(links, status),
    new FastPathDriver(links, status, dataplane.missingForFastPath),
    new GroupDriver(links, status),
    new BridgePortDriver(node, links, status),
    new PortDriver(node, links, status),
    new DetachDriver(dataplane, links, status),
    new SegmentMapDriver(fdbLayout, dataplane.map('fdb'), status),
    new SegmentMapDriver(neighborsLayout, dataplane.map('neighbors'), status),
    new TableDriver({
      name: 'vteps',
      map: dataplane.map('vteps'),
      ...layouts.vteps,
      status,
      wanted: wantedVteps,
    }),
    new TableDriver({
      name: 'segments',
      map: dataplane.map('segments'),
      ...layouts.segments,
      status,
      wanted: (state) => wantedSegments(state, status.ports),
    }),
    new TableDriver({
      name: 'allowed_macs',
      map: dataplane.map('allowed_macs'),
      ...layouts.allowed_macs,
      status,
      wanted: () => wantedAllowedMacs(status.ports, { node, most: layouts.allowed_macs.maxEntries }),
    }),
    new TableDriver({
      name: 'allowed_ips',
      map: dataplane.map('allowed_ips'),
      ...layouts.allowed_ips,
      status,
      wanted: () => wantedAllowedIps(status.ports, { node, most: layouts.allowed_ips.maxEntries }),
    }),
    new TableDriver({
      name: 'ports',
      map: dataplane.map('ports'),
      ...layouts.ports,
      status,
      wanted: (state) => wantedPorts(state, status.ports),
    }),
    new TableDriver({
      name: 'config',
      map: dataplane.map('config'),
      ...layouts.config,
      status,
      fixed: true,
      wanted: ({ assignment: { vtep, udp_port: udpPort } }) => ({
        entries: [
          [
            { zero: 0 },
            {
              vxlanIfindex: status.tunnel?.ifindex ?? 0,
              ttl: TTL,
              underlayIfindex: status.fastPath.state === 'on' ? status.fastPath.ifindex : 0,
              udpPort,
              flags: status.taps > 0 ? NodeFlag.NODE_TAP : 0,
              vtep,
            },
          ],
        ],
        failures: [],
      }),
    }),
    new AttachDriver(node, dataplane, status),
  ]
}

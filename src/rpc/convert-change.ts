import { WeftError } from '../common/errors.js'
import { ipFromBytes, ipToBytes } from '../model/ip.js'
import type { AssignedPort, NodeAssignment, SegmentSpec } from '../model/segment-table.js'
import type { SegmentUpdate } from '../model/segment-update.js'
import { questionFromMessage, questionToMessage } from './convert-question.js'
import { macFromBytes, macToBytes } from './mac-bytes.js'
import type {
  NodeUpdateMessage,
  PortMessage,
  SegmentKind,
  SegmentMessage,
  SegmentUpdateMessage,
  SyncResponseMessage,
} from './messages.js'
import type { ControllerChange } from './records.js'

/** PURE: what a controller sends, as records and as messages. */
export function changeToMessage(change: ControllerChange): SyncResponseMessage {
  switch (change.kind) {
    case 'node':
      return { node: assignmentToMessage(change.assignment) }
    case 'segment':
      return { segment: updateToMessage(change.update) }
    case 'segment_remove':
      return { segment_remove: { vni: change.vni } }
    case 'in_sync':
      return { in_sync: { revision: `${change.revision}` } }
    case 'ask':
      return { ask: { id: change.id, ...questionToMessage(change.question) } }
    case 'ask_end':
      return { ask_end: { id: change.id } }
  }
}

/**
 * @throws WeftError W-3010 when the message says nothing or its kind is unknown.
 * @throws RangeError when an address is not 16 bytes.
 */
export function changeFromMessage(message: SyncResponseMessage): ControllerChange {
  if (message.node) return { kind: 'node', assignment: assignmentFromMessage(message.node) }
  if (message.segment) return { kind: 'segment', update: updateFromMessage(message.segment) }
  if (message.segment_remove) return { kind: 'segment_remove', vni: message.segment_remove.vni }
  if (message.in_sync) return { kind: 'in_sync', revision: BigInt(message.in_sync.revision) }
  if (message.ask) return { kind: 'ask', id: message.ask.id, question: questionFromMessage(message.ask) }
  if (message.ask_end) return { kind: 'ask_end', id: message.ask_end.id }
  throw new WeftError('W-3010', 'a response of the controller holds none of the known changes')
}

function assignmentToMessage(assignment: NodeAssignment): NodeUpdateMessage {
  return {
    underlay_dev: assignment.underlay_dev,
    vtep: ipToBytes(assignment.vtep),
    udp_port: assignment.udp_port,
    ports: assignment.ports.map(portToMessage),
  }
}

function assignmentFromMessage(message: NodeUpdateMessage): NodeAssignment {
  return {
    underlay_dev: message.underlay_dev,
    vtep: ipFromBytes(message.vtep),
    udp_port: message.udp_port,
    ports: message.ports.map(portFromMessage),
  }
}

function portToMessage({ allowed_macs: macs, allowed_ips: ips, ...rest }: AssignedPort): PortMessage {
  return { ...rest, allowed_macs: macs.map(macToBytes), allowed_ips: [...ips] }
}

function portFromMessage({ kind, allowed_macs: macs, ...rest }: PortMessage): AssignedPort {
  if (kind !== 'device' && kind !== 'bridge') {
    throw new WeftError('W-3010', `port ${rest.interface}: unknown kind ${kind}`)
  }
  return { ...rest, kind, allowed_macs: macs.map(macFromBytes) }
}

const kinds = {
  unchanged: 'KIND_UNCHANGED',
  delta: 'KIND_DELTA',
  snapshot: 'KIND_SNAPSHOT',
} as const satisfies Record<SegmentUpdate['kind'], SegmentKind>

function updateToMessage(update: SegmentUpdate): SegmentUpdateMessage {
  return {
    vni: update.vni,
    kind: kinds[update.kind],
    from_revision: `${update.from_revision}`,
    to_revision: `${update.to_revision}`,
    hash: `${update.hash}`,
    ...(update.spec ? { segment: specToMessage(update.spec) } : {}),
    body: update.body,
  }
}

function updateFromMessage(message: SegmentUpdateMessage): SegmentUpdate {
  const kind = (Object.keys(kinds) as SegmentUpdate['kind'][]).find((name) => kinds[name] === message.kind)
  if (!kind) throw new WeftError('W-3010', `segment ${message.vni}: unknown kind ${message.kind}`)
  return {
    vni: message.vni,
    kind,
    from_revision: BigInt(message.from_revision),
    to_revision: BigInt(message.to_revision),
    hash: BigInt(message.hash),
    ...(message.segment ? { spec: specFromMessage(message.segment) } : {}),
    body: message.body,
  }
}

function specToMessage({ members, group, ...rest }: SegmentSpec): SegmentMessage {
  return { ...rest, members: members.map(ipToBytes), group: group ? ipToBytes(group) : new Uint8Array() }
}

function specFromMessage({ members, group, ...rest }: SegmentMessage): SegmentSpec {
  return {
    ...rest,
    members: members.map(ipFromBytes),
    group: group.length > 0 ? ipFromBytes(group) : undefined,
  }
}

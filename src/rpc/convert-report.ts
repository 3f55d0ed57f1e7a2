import { WeftError } from '../common/errors.js'
import { ipFromBytes, ipToBytes } from '../model/ip.js'
import { answerFromMessage, answerToMessage } from './convert-question.js'
import { macFromBytes, macToBytes } from './mac-bytes.js'
import type {
  ClaimMessage,
  HelloMessage,
  ReportMessage,
  SyncRequestMessage,
  TunnelCountMessage,
} from './messages.js'
import type { Claim, Hello, NodeReport, Report, TunnelCount } from './records.js'

/** PURE: what a node sends, as records and as messages. */
export function reportToMessage(report: NodeReport): SyncRequestMessage {
  switch (report.kind) {
    case 'hello':
      return { hello: helloToMessage(report.hello, report.protocol) }
    case 'applied':
      return {
        applied: { revision: `${report.applied.revision}`, failures: [...report.applied.failures] },
      }
    case 'claims':
      return {
        claims: { complete: report.claims.complete, claims: report.claims.claims.map(claimToMessage) },
      }
    case 'telemetry':
      return { telemetry: telemetryToMessage(report.telemetry) }
    case 'segment_request':
      return { segment_request: { vni: report.vni } }
    case 'answer':
      return { answer: answerToMessage(report.answer) }
  }
}

/** @throws WeftError W-3010 when the message says nothing, or an address or MAC has another length. */
export function reportFromMessage(message: SyncRequestMessage): NodeReport {
  if (message.hello) {
    const { hello } = message
    return { kind: 'hello', hello: helloFromMessage(hello), protocol: hello.protocol }
  }
  if (message.applied) {
    const { revision, failures } = message.applied
    return { kind: 'applied', applied: { revision: BigInt(revision), failures } }
  }
  if (message.claims) {
    const { complete, claims } = message.claims
    return { kind: 'claims', claims: { complete, claims: claims.map(claimFromMessage) } }
  }
  if (message.telemetry) {
    return { kind: 'telemetry', telemetry: telemetryFromMessage(message.telemetry) }
  }
  if (message.segment_request) return { kind: 'segment_request', vni: message.segment_request.vni }
  if (message.answer) return { kind: 'answer', answer: answerFromMessage(message.answer) }
  throw new WeftError('W-3010', 'a request of the node holds none of the known reports')
}

function helloToMessage(hello: Hello, protocol: number): HelloMessage {
  return {
    node: hello.node,
    abi: hello.abi,
    version: hello.version,
    instance: hello.instance,
    protocol,
    held: hello.held.map(({ vni, revision, hash }) => ({
      vni,
      revision: `${revision}`,
      hash: `${hash}`,
    })),
  }
}

function helloFromMessage(message: HelloMessage): Hello {
  return {
    node: message.node,
    abi: message.abi,
    version: message.version,
    instance: message.instance,
    held: message.held.map(({ vni, revision, hash }) => ({
      vni,
      revision: BigInt(revision),
      hash: BigInt(hash),
    })),
  }
}

function claimToMessage({ mac, addresses, ...rest }: Claim): ClaimMessage {
  return {
    ...rest,
    mac: macToBytes(mac),
    addresses: addresses.map(({ ip, router }) => ({ ip: ipToBytes(ip), router })),
  }
}

function claimFromMessage({ mac, addresses, ...rest }: ClaimMessage): Claim {
  return {
    ...rest,
    mac: macFromBytes(mac),
    addresses: addresses.map(({ ip, router }) => ({ ip: ipFromBytes(ip), router })),
  }
}

function telemetryToMessage(report: Report): ReportMessage {
  return {
    tunnels: report.tunnels.map(tunnelToMessage),
    verdicts: report.verdicts.map((count) => ({
      ...count,
      packets: `${count.packets}`,
      bytes: `${count.bytes}`,
    })),
    ports: [...report.ports],
    programs: [...report.programs],
    maps: [...report.maps],
    events_lost: `${report.events_lost}`,
    tunnel_mtu: report.tunnel_mtu,
    losses: report.losses.map(({ kind, count }) => ({ kind, count: `${count}` })),
    paths: report.paths.map(({ vtep, ...rest }) => ({ ...rest, vtep: ipToBytes(vtep) })),
  }
}

function telemetryFromMessage(message: ReportMessage): Report {
  return {
    tunnels: message.tunnels.map(tunnelFromMessage),
    verdicts: message.verdicts.map((count) => ({
      ...count,
      packets: Number(count.packets),
      bytes: Number(count.bytes),
    })),
    ports: message.ports,
    programs: message.programs,
    maps: message.maps,
    events_lost: Number(message.events_lost),
    tunnel_mtu: message.tunnel_mtu,
    losses: message.losses.map(({ kind, count }) => ({ kind, count: Number(count) })),
    paths: message.paths.map(({ vtep, ...rest }) => ({ ...rest, vtep: ipFromBytes(vtep) })),
  }
}

const tunnelCounts = [
  'tx_packets',
  'tx_bytes',
  'tx_flooded',
  'rx_packets',
  'rx_bytes',
  'rx_flooded',
  'tx_fast',
  'rx_fast',
] as const
type TunnelCounts<T> = Record<(typeof tunnelCounts)[number], T>

function tunnelToMessage(count: TunnelCount): TunnelCountMessage {
  const counts = Object.fromEntries(tunnelCounts.map((field) => [field, `${count[field]}`]))
  return { vni: count.vni, vtep: ipToBytes(count.vtep), ...(counts as TunnelCounts<string>) }
}

function tunnelFromMessage(message: TunnelCountMessage): TunnelCount {
  const counts = Object.fromEntries(tunnelCounts.map((field) => [field, Number(message[field])]))
  return { vni: message.vni, vtep: ipFromBytes(message.vtep), ...(counts as TunnelCounts<number>) }
}

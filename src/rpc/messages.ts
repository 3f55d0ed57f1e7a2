import type { AnswerMessage, AskMessage } from './question-messages.js'

/**
 * The messages of proto/weft/v1/node_sync.proto as proto-loader makes and takes
 * them: names kept, 64-bit integers and enums as text, every field present when
 * decoded. Only convert.ts handles these; everything else uses records.ts.
 */

/** 64 bits, unsigned, decimal text. */
export type U64 = string

export interface HelloMessage {
  node: string
  abi: string
  version: string
  held: { vni: number; revision: U64; hash: U64 }[]
  instance: string
  protocol: number
}

export interface FailureMessage {
  code: string
  what: string
  message: string
  next: string
}

export interface AppliedMessage {
  revision: U64
  failures: FailureMessage[]
}

export interface ClaimMessage {
  vni: number
  mac: Uint8Array
  interface: string
  withdraw: boolean
  announced: boolean
  addresses: { ip: Uint8Array; router: boolean }[]
}

export interface ClaimsMessage {
  complete: boolean
  claims: ClaimMessage[]
}

export interface TunnelCountMessage {
  vni: number
  vtep: Uint8Array
  tx_packets: U64
  tx_bytes: U64
  tx_flooded: U64
  rx_packets: U64
  rx_bytes: U64
  rx_flooded: U64
  tx_fast: U64
  rx_fast: U64
}

export interface ReportMessage {
  tunnels: TunnelCountMessage[]
  verdicts: { vni: number; program: string; reason: string; packets: U64; bytes: U64 }[]
  ports: { interface: string; vni: number; state: string; mtu: number; ifindex: number }[]
  programs: { program: string; interface: string; direction: string; id: number; mechanism: string }[]
  maps: { map: string; entries: number; max_entries: number }[]
  events_lost: U64
  tunnel_mtu: number
  losses: { kind: string; count: U64 }[]
  paths: PathStateMessage[]
}

export interface PathStateMessage {
  vtep: Uint8Array
  state: string
  path_mtu: number
  wanted_mtu: number
  rtt_us: number
}

/** One of the fields is set. */
export interface SyncRequestMessage {
  hello?: HelloMessage | null
  applied?: AppliedMessage | null
  claims?: ClaimsMessage | null
  telemetry?: ReportMessage | null
  segment_request?: { vni: number } | null
  answer?: AnswerMessage | null
}

export interface NodeUpdateMessage {
  underlay_dev: string
  vtep: Uint8Array
  udp_port: number
  ports: PortMessage[]
}

export interface PortMessage {
  interface: string
  vni: number
  kind: string
  router: boolean
  allowed_macs: Uint8Array[]
  allowed_ips: string[]
}

export interface SegmentMessage {
  network: string
  flood_replicate: boolean
  learn_ports: boolean
  mac_ageing_s: number
  mtu: number
  members: Uint8Array[]
  /** Empty: none. */
  group: Uint8Array
  claim_macs: boolean
  learn_tunnels: boolean
  suppress: boolean
  ra_guard: boolean
  fast_path: boolean
  mac_limit: number
  bum_limit: number
}

export type SegmentKind = 'KIND_UNSPECIFIED' | 'KIND_UNCHANGED' | 'KIND_DELTA' | 'KIND_SNAPSHOT'

export interface SegmentUpdateMessage {
  vni: number
  kind: SegmentKind
  from_revision: U64
  to_revision: U64
  hash: U64
  segment?: SegmentMessage | null
  body: Uint8Array
}

/** One of the fields is set. */
export interface SyncResponseMessage {
  node?: NodeUpdateMessage | null
  segment?: SegmentUpdateMessage | null
  segment_remove?: { vni: number } | null
  in_sync?: { revision: U64 } | null
  ask?: AskMessage | null
  ask_end?: { id: number } | null
}

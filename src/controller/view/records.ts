import type { Mac } from '../../model/mac.js'

/** Names of what lies in etcd; store/keys.ts has their text. */
export type RecordKey =
  /** Written by every apply, so that two of them collide. */
  | { readonly kind: 'generation' }
  /** Publishes one topology: which epoch holds its objects, and how many there are. */
  | { readonly kind: 'head'; readonly topology: string }
  | {
      readonly kind: 'object'
      readonly topology: string
      readonly epoch: string
      /** `type/id` inside the topology (topology-objects.ts). */
      readonly id: string
    }
  /** Learned MACs of one VTEP in one segment (owner-page.ts). */
  | { readonly kind: 'page'; readonly vni: number; readonly vtep: string; readonly page: number }
  /** Written with every change of a segment's pages, so that two writers collide. */
  | { readonly kind: 'guard'; readonly vni: number }
  /** What happened to one MAC (mac-journal.ts). */
  | { readonly kind: 'journal'; readonly vni: number; readonly mac: Mac }

/** One key's new value; `undefined`: it is gone. */
export interface StoreEvent {
  readonly key: string
  readonly id: RecordKey
  readonly value: Uint8Array | undefined
  readonly mod_revision: bigint
}

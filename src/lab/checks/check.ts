import { setTimeout as sleep } from 'node:timers/promises'
import type { LabCheck } from '../../topology/lab-spec.js'
import type { LabRecord } from '../record.js'
import { checkFanout } from './fanout.js'
import { checkFloodFree } from './flood-free.js'
import { checkIsolation } from './isolation.js'
import { checkMacMove } from './mac-move.js'
import { checkMtu } from './mtu.js'
import { checkPingMesh } from './ping-mesh.js'
import { checkTcp } from './tcp.js'

export type Endpoint = LabRecord['endpoints'][number]

/** What one try of a check found. */
export interface Finding {
  readonly ok: boolean
  /** `6/6 pairs`, or what went wrong, in words. */
  readonly detail: string
}

export interface CheckOutcome extends Finding {
  readonly name: string
  readonly seconds: number
}

/** Runs a check as its file says: after its delay, and again until it passes or its time is up. */
export async function runCheck(check: LabCheck, lab: LabRecord, signal: AbortSignal): Promise<CheckOutcome> {
  await sleep(check.after_ms, undefined, { signal })
  const begun = performance.now()
  let finding = await tryOnce(check, lab, signal)
  while (!finding.ok && performance.now() - begun < check.within_ms) {
    await sleep(100, undefined, { signal })
    finding = await tryOnce(check, lab, signal)
  }
  return { ...finding, name: check.name, seconds: (performance.now() - begun) / 1000 }
}

/** One line as `weft test` prints it: `ok    red mesh   6/6 pairs   0.8 s`. */
export function formatOutcome({ ok, name, detail, seconds }: CheckOutcome, nameWidth: number): string {
  return `${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(nameWidth)}  ${detail.padEnd(40)}  ${seconds.toFixed(1)} s\n`
}

function tryOnce(check: LabCheck, lab: LabRecord, signal: AbortSignal): Promise<Finding> {
  const { endpoints } = lab
  switch (check.kind) {
    case 'ping_mesh':
      return checkPingMesh(check, endpoints, signal)
    case 'isolation':
      return checkIsolation(check, endpoints, signal)
    case 'mtu':
      return checkMtu(check, endpoints, signal)
    case 'tcp':
      return checkTcp(check, endpoints, signal)
    case 'flood_free':
      return checkFloodFree(check, lab, signal)
    case 'fanout':
      return checkFanout(check, lab, signal)
    case 'mac_move':
      return checkMacMove(check, lab.name, signal)
  }
}

import { WeftError } from '../../common/errors.js'
import type { LabMacMoveCheck } from '../../topology/lab-spec.js'
import { run } from '../command.js'
import { announce, moveEndpoint } from '../move.js'
import { readRecord } from '../record.js'
import type { Finding } from './check.js'
import { judgePairs, pairsOf } from './pairs.js'

/**
 * The endpoint moves and announces itself; all others reach it from then on,
 * the last of them in time. At the next run it moves back.
 */
export async function checkMacMove(
  { endpoint, from, to, within_ms }: LabMacMoveCheck,
  lab: string,
  signal: AbortSignal,
): Promise<Finding> {
  const record = await readRecord(lab)
  const mover = record?.endpoints.find(({ name }) => name === endpoint)
  if (!record || !mover) throw new WeftError('W-4004', `lab ${lab} has no endpoint ${endpoint}`)
  const pairs = pairsOf(mover.network, record.endpoints).filter((pair) => pair.to === mover)
  const probe = (seconds: number) =>
    judgePairs(pairs, async ({ from: { namespace }, address }) => {
      const argv = ['ping', '-n', '-q', '-i', '0.02', '-c', '1', '-w', String(seconds), address]
      const { code } = await run(argv, { namespace, signal })
      return code === 0 ? undefined : `no answer in ${seconds} s`
    })
  const before = await probe(3)
  if (!before.ok) return { ok: false, detail: `before the move: ${before.detail}` }
  const target = mover.node === to ? from : to
  const moved = await moveEndpoint(lab, endpoint, target)
  const begun = performance.now()
  const announced = announce(moved, signal)
  const after = await probe(Math.max(1, Math.ceil(within_ms / 1000)))
  const tookMs = performance.now() - begun
  await announced
  const detail = `${mover.node} → ${target}: ${after.detail} after ${(tookMs / 1000).toFixed(2)} s`
  return { ok: after.ok && tookMs <= within_ms, detail }
}

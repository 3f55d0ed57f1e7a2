import type { LearnedMac, LearnedQuestion, Place } from '../../rpc/questions.js'
import type { LearnedEntry } from '../bpf/abi.gen.js'
import type { MapOf } from '../drivers/dataplane.js'
import type { NodeStatus } from '../status.js'
import type { LearnedJournal } from '../telemetry/learned-journal.js'
import type { Answerer } from './answering.js'
import { interfaceOf } from './ports.js'

/** As many as `learned` holds. */
const MOST = 65_536
/** In one message. */
const CHUNK = 1000
const MS = 1e6

/** What the programs learned: where each MAC is, since when, and where it was. */
export function answerLearned(
  learned: MapOf<'learned'>,
  journal: LearnedJournal,
  status: NodeStatus,
): Answerer<LearnedQuestion> {
  return async ({ vni, mac, limit }, reply) => {
    const nowNs = Number(process.hrtime.bigint())
    const wanted = learned
      .entries()
      .filter(([key]) => (vni === 0 || key.vni === vni) && (mac === undefined || key.mac === mac))
      .filter(
        ([key, entry]) => !isAged(entry, status.applied?.segments.get(key.vni)?.spec.mac_ageing_s, nowNs),
      )
    const shown = wanted.slice(0, Math.min(limit, MOST))
    const macs = shown.map(([key, entry]): LearnedMac => ({ ...key, ...placesOf(entry, nowNs, status) }))
    for (let at = 0; at === 0 || at < macs.length; at += CHUNK) {
      const left = at + CHUNK < macs.length ? 0 : wanted.length - shown.length
      reply({
        kind: 'learned',
        macs: macs.slice(at, at + CHUNK),
        moves: at === 0 ? journal.list({ vni, mac, limit }, nowNs) : [],
        left_out: left,
      })
    }
  }
}

// As the programs have it: an entry unheard for so long counts as absent.
function isAged({ seenNs }: LearnedEntry, ageingS: number | undefined, nowNs: number): boolean {
  return ageingS !== undefined && ageingS > 0 && nowNs - seenNs >= ageingS * 1e9
}

function placesOf(entry: LearnedEntry, nowNs: number, status: NodeStatus): Omit<LearnedMac, 'vni' | 'mac'> {
  const ago = (ns: number) => Math.max(0, Math.round((nowNs - ns) / MS))
  return {
    at: placeOf(entry.ifindex, entry.vtep, status)!,
    from: placeOf(entry.fromIfindex, entry.fromVtep, status),
    moves: entry.moves,
    since_ms: ago(entry.sinceNs),
    seen_ms: ago(entry.seenNs),
  }
}

function placeOf(ifindex: number, vtep: LearnedEntry['vtep'], status: NodeStatus): Place | undefined {
  if (ifindex !== 0) return { interface: interfaceOf(ifindex, status) }
  return vtep === '::' ? undefined : { vtep }
}

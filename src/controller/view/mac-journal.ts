import { z } from 'zod'
import { claimRefusals } from '../control.js'

/**
 * PURE: what happened to one MAC of one segment, as etcd holds it: where it moved
 * when, who said so, and what was refused. It decides, too, whether the MAC is held
 * or frozen, so that every controller decides alike and none forgets it.
 *
 * Times are milliseconds since 1970 of the controller that wrote them.
 */
const entrySchema = z.object({
  at: z.number(),
  event: z.enum(['learned', 'moved', 'refused', 'frozen', 'thawed']),
  /** `node/interface` where it was; when refused, where it stays. */
  from: z.string().optional(),
  /** `node/interface` that claimed it. */
  to: z.string().optional(),
  seq: z.number(),
  announced: z.literal(true).optional(),
  reason: z.enum(claimRefusals).optional(),
  /** Of refusals alike in a row: how many are on record, and the last. */
  count: z.number().optional(),
  last_at: z.number().optional(),
})
export type JournalEntry = z.output<typeof entrySchema>

const journalSchema = z.object({
  entries: z.array(entrySchema),
  /** Of the last moves, also when their entries are gone. */
  moved_at: z.array(z.number()),
  /** When it, or a try to move it, last happened; absent: it may move. */
  frozen_at: z.number().optional(),
})
export type MacJournal = z.output<typeof journalSchema>

/** Newest entries that are kept. */
export const MAX_ENTRIES = 32
/** A frame of the place before that comes within this is a late one. */
const HOLD_MS = 1_000
/** RFC 7432 15.1: so many moves in so long, and the MAC is in two places. */
export const MOVES = 5
export const WINDOW_MS = 180_000
const REFUSAL_PAUSE_MS = 1_000

export const emptyJournal: MacJournal = { entries: [], moved_at: [] }

/** @throws Error when the bytes are no journal. */
export function decodeJournal(bytes: Uint8Array): MacJournal {
  return journalSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))
}

export function encodeJournal(journal: MacJournal): string {
  return JSON.stringify(journal)
}

export function isFrozen(journal: MacJournal | undefined, now: number): boolean {
  return journal?.frozen_at !== undefined && now < journal.frozen_at + WINDOW_MS
}

/** Where the MAC just came from: what is heard from there now was sent before it moved. */
export function heldFrom(journal: MacJournal | undefined, now: number): string | undefined {
  const move = journal?.entries.findLast(({ event }) => event === 'moved')
  return move && now < move.at + HOLD_MS ? move.from : undefined
}

/** As of `now`: a MAC that nobody tried to move for long enough is thawed. */
export function settled(journal: MacJournal, now: number): MacJournal {
  const { frozen_at: frozenAt, ...rest } = journal
  if (frozenAt === undefined || isFrozen(journal, now)) return journal
  const seq = journal.entries.at(-1)?.seq ?? 0
  return { ...rest, entries: kept(rest.entries, { at: frozenAt + WINDOW_MS, event: 'thawed', seq }) }
}

interface Move {
  readonly at: number
  readonly from: string
  readonly to: string
  readonly seq: number
  readonly announced: boolean
}

export function withMove(before: MacJournal, { announced, ...move }: Move): MacJournal {
  const journal = settled(before, move.at)
  const moved: JournalEntry = { event: 'moved', ...move, ...(announced ? { announced } : {}) }
  const times = [...journal.moved_at, move.at].filter((at) => move.at - at < WINDOW_MS).slice(-MOVES)
  const entries = kept(journal.entries, moved)
  if (times.length < MOVES) return { ...journal, entries, moved_at: times }
  const frozen: JournalEntry = { at: move.at, event: 'frozen', seq: move.seq }
  return { entries: kept(entries, frozen), moved_at: times, frozen_at: move.at }
}

/** Learned again after it had gone. */
export function withPlace(before: MacJournal, place: { at: number; to: string; seq: number }): MacJournal {
  const journal = settled(before, place.at)
  return { ...journal, entries: kept(journal.entries, { event: 'learned', ...place }) }
}

interface Refusal {
  readonly at: number
  readonly from?: string
  readonly to: string
  readonly seq: number
  readonly reason: NonNullable<JournalEntry['reason']>
}

/** `undefined`: one was noted just now, and not each is. */
export function withRefusal(before: MacJournal, refusal: Refusal): MacJournal | undefined {
  const journal = settled(before, refusal.at)
  const last = journal.entries.findLast(({ event }) => event === 'refused')
  if (last && refusal.at - (last.last_at ?? last.at) < REFUSAL_PAUSE_MS) return undefined
  const entry: JournalEntry = { event: 'refused', ...refusal }
  const newest = journal.entries.at(-1)
  const alike =
    newest?.event === 'refused' &&
    newest.reason === entry.reason &&
    newest.from === entry.from &&
    newest.to === entry.to
  const entries = alike
    ? [...journal.entries.slice(0, -1), { ...newest, count: (newest.count ?? 1) + 1, last_at: refusal.at }]
    : kept(journal.entries, entry)
  return { ...journal, entries, ...(journal.frozen_at === undefined ? {} : { frozen_at: refusal.at }) }
}

function kept(entries: readonly JournalEntry[], entry: JournalEntry): JournalEntry[] {
  return [...entries, entry].slice(-MAX_ENTRIES)
}

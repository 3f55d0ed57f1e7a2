import type { Dataplane } from '../drivers/dataplane.js'
import type { NodeStatus } from '../status.js'
import type { Taps } from '../taps/taps.js'
import type { LearnedJournal } from '../telemetry/learned-journal.js'
import type { Answerers } from './answering.js'
import { answerInject } from './inject.js'
import { answerLearned } from './learned.js'
import { answerSimulate, openTables } from './simulate.js'
import { answerTap } from './tap.js'

/** All that this node answers, from its kernel. */
export function openAnswerers(
  dataplane: Dataplane,
  status: NodeStatus,
  journal: LearnedJournal,
  taps: Taps,
): { readonly answerers: Answerers } & Disposable {
  const tables = openTables(dataplane)
  return {
    answerers: {
      learned: answerLearned(tables.learned, journal, status),
      simulate: answerSimulate(tables, status),
      tap: answerTap(taps, status),
      inject: answerInject(dataplane.program('probe'), status),
    },
    [Symbol.dispose]() {
      for (const map of Object.values(tables)) map[Symbol.dispose]()
    },
  }
}

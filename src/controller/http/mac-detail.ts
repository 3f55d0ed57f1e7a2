import type { MacDetail, MacEventItem, MacRecordItem } from '../../api/journal.js'
import { WeftError } from '../../common/errors.js'
import { parseMac } from '../../model/mac.js'
import type { Place } from '../../rpc/questions.js'
import type { MacEvent, MacRecord } from '../control.js'
import { askLearned, type MoveAt } from '../frames/learned.js'
import type { Directory } from './directory.js'
import { macItem } from './items.js'
import type { Observed } from './observed.js'

/**
 * Where a MAC is in each network, and what is on record of it.
 *
 * @throws WeftError W-3007 when no network has it or had it.
 */
export async function macDetail(
  observed: Observed,
  mac: string,
  network: string | undefined,
): Promise<MacDetail> {
  const { control, directory } = observed
  const isWanted = ({ name }: { name: string }) => network === undefined || name === network
  const learned = await askLearned(control, directory, isWanted, parseMac(mac))
  const records = control.journals(mac)
  const places = [...[...control.macs()].filter((entry) => entry.mac === mac).map(macItem), ...learned.items]
  const vnis = new Set([...places, ...records, ...learned.moves].map(({ vni }) => vni))
  const networks = [...vnis]
    .sort((a, b) => a - b)
    .map((vni): MacRecordItem => {
      const record = records.find((one) => one.vni === vni)
      const place = places.find((one) => one.vni === vni)
      return {
        network: directory.networkName(vni),
        vni,
        place: place ?? null,
        frozen_until: timeText(record?.frozen_until),
        journal: [
          ...controllerJournal(record),
          ...nodeJournal(
            learned.moves.filter((move) => move.vni === vni),
            directory,
          ),
        ].sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at))),
      }
    })
    .filter((one) => network === undefined || one.network === network)
  const silent = learned.silent.length > 0 ? { silent: [...learned.silent] } : {}
  if (networks.length > 0) return { mac, networks, ...silent }
  const where = network === undefined ? '' : ` in network "${network}"`
  throw new WeftError('W-3007', `there is no MAC ${mac}${where}, nor one on record`, {
    next: 'weft get macs',
  })
}

function controllerJournal(record: MacRecord | undefined): MacEventItem[] {
  return (record?.events ?? []).map((event) => ({
    at: new Date(event.at).toISOString(),
    where: 'controller',
    event: event.event,
    by: whoSaid(event),
    from: event.from ?? null,
    to: event.to ?? null,
    seq: event.seq,
    announced: event.announced ?? false,
    reason: event.reason ?? null,
    count: event.count ?? 1,
    last_at: timeText(event.last_at),
  }))
}

/** Moves that no controller decides: each node saw them for itself. */
function nodeJournal(moves: readonly MoveAt[], directory: Directory): MacEventItem[] {
  const now = Date.now()
  return moves.map(({ node, at, from, announced, ago_ms: agoMs }) => ({
    at: new Date(now - agoMs).toISOString(),
    where: node,
    event: 'moved',
    by: node,
    from: from ? placeText(from, node, directory) : null,
    to: placeText(at, node, directory),
    seq: null,
    announced,
    reason: null,
    count: 1,
    last_at: null,
  }))
}

function placeText(place: Place, node: string, directory: Directory): string {
  return 'interface' in place ? `${node}/${place.interface}` : (directory.nodeName(place.vtep) ?? place.vtep)
}

// Interfaces have no slash, so the node is what is before it.
function whoSaid({ to }: MacEvent): string | null {
  return to?.slice(0, to.lastIndexOf('/')) ?? null
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

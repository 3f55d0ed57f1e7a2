import type { MacDetail, MacEventItem, MacRecordItem } from '../../api/journal.js'
import { WeftError } from '../../common/errors.js'
import type { MacEvent, MacRecord } from '../control.js'
import { macItem } from './items.js'
import type { Observed } from './observed.js'

/**
 * Where a MAC is in each network, and what is on record of it.
 *
 * @throws WeftError W-3007 when no network has it or had it.
 */
export function macDetail(observed: Observed, mac: string, network: string | undefined): MacDetail {
  const { control, directory } = observed
  const records = control.journals(mac)
  const places = [...control.macs()].filter((entry) => entry.mac === mac)
  const vnis = new Set([...places, ...records].map(({ vni }) => vni))
  const networks = [...vnis]
    .sort((a, b) => a - b)
    .map((vni): MacRecordItem => {
      const record = records.find((one) => one.vni === vni)
      const place = places.find((one) => one.vni === vni)
      return {
        network: directory.networkName(vni),
        vni,
        place: place ? macItem(place) : null,
        frozen_until: timeText(record?.frozen_until),
        journal: controllerJournal(record),
      }
    })
    .filter((one) => network === undefined || one.network === network)
  if (networks.length > 0) return { mac, networks }
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

// Interfaces have no slash, so the node is what is before it.
function whoSaid({ to }: MacEvent): string | null {
  return to?.slice(0, to.lastIndexOf('/')) ?? null
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

import type { MacDetail, MacEventItem, MacRecordItem } from '../../api/journal.js'
import { renderList, renderTable, type View } from '../output.js'
import { formatAge, orDash } from '../quantity.js'

/** Pure. */
export function formatMacDetail({ mac, networks }: MacDetail, now: number): string {
  return networks.map((record) => formatRecord(mac, record, now)).join('\n')
}

function formatRecord(
  mac: string,
  { network, vni, place, frozen_until: frozen, journal }: MacRecordItem,
  now: number,
): string {
  const where = place && (place.interface === null ? place.node : `${place.node}/${place.interface}`)
  const head = renderTable([
    ['mac', mac],
    ['network', `${network ?? 'none any more'}, VNI ${vni}`],
    ['where', place ? `${orDash(where)} behind ${place.vtep}` : 'nowhere now'],
    ['addresses', orDash(place?.ip.join(', '))],
    ['learned', place ? learnedText(place) : '-'],
    [
      'frozen',
      frozen === null
        ? 'no'
        : `until nobody tried to move it for ${formatAge((Date.parse(frozen) - now) / 1000)} more`,
    ],
  ])
  if (journal.length === 0) return `${head}\njournal: none\n`
  const table = renderList({ revision: 0, items: journal }, events, 'table')
  return `${head}\njournal\n${table.replaceAll(/^(?=.)/gm, '  ')}`
}

function learnedText({ learned, seq, since_s: since }: NonNullable<MacRecordItem['place']>): string {
  if (learned === 'file') return 'file: it never moves'
  return `${learned}, sequence ${seq}, ${formatAge(since)} at this place`
}

const events: View<MacEventItem> = {
  name: (item) => item.at,
  columns: [
    { header: 'TIME', cell: (item) => item.at },
    { header: 'RECORD', cell: (item) => item.where },
    { header: 'EVENT', cell: eventText },
    { header: 'FROM', cell: (item) => orDash(item.from) },
    { header: 'TO', cell: (item) => orDash(item.to) },
    { header: 'SEQ', cell: (item) => orDash(item.seq) },
    { header: 'SAID BY', cell: (item) => `${orDash(item.by)}${item.announced ? ', announced' : ''}` },
    { header: 'WHY', cell: whyText },
  ],
}

function eventText({ event, count }: MacEventItem): string {
  return count > 1 ? `${event} ${count} times` : event
}

const reasons: Readonly<Record<string, string>> = {
  late: 'a late frame from the place before',
  frozen: 'it is frozen, being in two places',
  static: 'the file says where it is',
  elsewhere: 'an old entry, and another node has it',
}

function whyText({ reason, last_at: last }: MacEventItem): string {
  if (reason === null) return '-'
  return `${reasons[reason] ?? reason}${last === null ? '' : `; last ${last}`}`
}

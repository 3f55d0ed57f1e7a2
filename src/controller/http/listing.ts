import { type ListName, type ListQuery, lists } from '../../api/list.js'
import { WeftError } from '../../common/errors.js'

type Item = Readonly<Record<string, unknown>>
type SortKey = readonly unknown[]

/**
 * One page of a list: filtered by equality, ordered, cut and reduced to the asked
 * fields. Pure. The cursor holds the last item's sort values, not an offset, so an
 * item that comes or goes between two pages neither hides nor repeats another.
 *
 * @throws WeftError W-3012 for a cursor that this list and order did not give.
 */
export function page<T extends Item>(
  name: ListName,
  items: Iterable<T>,
  query: ListQuery,
): { items: Partial<T>[]; next_cursor: string | null } {
  const { filters, key } = lists[name]
  const matches = filterOf(filters, query)
  const descending = query.sort?.startsWith('-') ?? false
  const sortField = descending ? query.sort!.slice(1) : query.sort
  const keyOf = (item: Item): SortKey =>
    sortField === undefined
      ? key.map((field) => item[field])
      : [item[sortField], ...key.map((field) => item[field])]
  const compare = (a: SortKey, b: SortKey) => compareKeys(a, b, descending)

  const after =
    query.cursor === undefined ? undefined : readCursor(query.cursor, query.sort, keyOf({}).length)
  const rows: { item: T; sortKey: SortKey }[] = []
  for (const item of items) {
    if (!matches(item)) continue
    const sortKey = keyOf(item)
    if (after === undefined || compare(sortKey, after) > 0) rows.push({ item, sortKey })
  }
  rows.sort((a, b) => compare(a.sortKey, b.sortKey))

  const shown = rows.slice(0, query.limit)
  const last = rows.length > shown.length ? shown.at(-1) : undefined
  const fields = query.fields?.split(',')
  return {
    items: shown.map(({ item }) => (fields ? pick(item, fields) : item)),
    next_cursor: last ? writeCursor(query.sort, last.sortKey) : null,
  }
}

function filterOf(filters: readonly string[], query: ListQuery): (item: Item) => boolean {
  const wanted = filters.flatMap((field) => {
    const value = query[field]
    return value === undefined
      ? []
      : [{ field, values: new Set((Array.isArray(value) ? value : [value]).map(String)) }]
  })
  return (item) =>
    wanted.every(({ field, values }) => [item[field]].flat().some((value) => values.has(textOf(value ?? ''))))
}

// Only the first value may be descending; the key keeps equal items apart in one order.
function compareKeys(a: SortKey, b: SortKey, descending: boolean): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareValues(a[i], b[i])
    if (order !== 0) return descending && i === 0 ? -order : order
  }
  return 0
}

function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1
  if (b === null || b === undefined) return -1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [textOf(a), textOf(b)]
  return natural.compare(left, right) || (left < right ? -1 : 1)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

// host2 comes before host10. It calls `01` and `1` the same; a key must not.
const natural = new Intl.Collator('en', { numeric: true })

function writeCursor(sort: string | undefined, sortKey: SortKey): string {
  return Buffer.from(JSON.stringify([sort ?? '', ...sortKey.map((value) => value ?? null)])).toString(
    'base64url',
  )
}

function readCursor(cursor: string, sort: string | undefined, length: number): SortKey {
  try {
    const [of, ...sortKey] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (of === (sort ?? '') && sortKey.length === length) return sortKey
  } catch {
    // not ours: refused below
  }
  throw new WeftError('W-3012', 'cursor: not one that this list gave for this order', {
    next: 'read the list from its start, without cursor',
  })
}

function pick<T extends Item>(item: T, fields: readonly string[]): Partial<T> {
  return Object.fromEntries(fields.map((field) => [field, item[field]])) as Partial<T>
}

import { createRequire } from 'node:module'
import Table from 'cli-table3'
import type * as Yaml from 'yaml'
import type { OutputFormat } from './context.js'

/** One column of a table. */
export interface Column<T> {
  readonly header: string
  cell(item: T): string
  /** Only in `-o wide`. */
  readonly wide?: boolean
  readonly align?: 'right'
}

/** How a list is shown. */
export interface View<T> {
  readonly columns: readonly Column<T>[]
  /** One line an item, for scripts. */
  name(item: T): string
  /** Explains letters used in the table; printed below it. */
  readonly legend?: string
}

/** The one way out for lists: every format from the same items. Ends in a newline, unless there is nothing. */
export function renderList<T>(
  list: { readonly revision: number; readonly items: readonly T[] },
  view: View<T>,
  format: OutputFormat,
  { headers = true } = {},
): string {
  if (format === 'json' || format === 'yaml')
    return renderValue({ revision: list.revision, items: list.items }, format)
  if (format === 'name') return list.items.map((item) => `${view.name(item)}\n`).join('')
  if (list.items.length === 0) return ''
  const columns = view.columns.filter((column) => format === 'wide' || !column.wide)
  const rows = list.items.map((item) => columns.map((column) => column.cell(item)))
  const aligned = columns.map((column) => column.align)
  const table = renderTable(headers ? [columns.map((column) => column.header), ...rows] : rows, aligned)
  return headers && view.legend ? `${table}${view.legend}\n` : table
}

/** A single value, for scripts. YAML is quoted for readers of YAML 1.1, to whom a MAC may be a number of base 60. */
export function renderValue(value: unknown, format: 'json' | 'yaml'): string {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`
  const { stringify } = createRequire(import.meta.url)('yaml') as typeof Yaml // would slow down every table
  return stringify(value, { lineWidth: 0, version: '1.1' })
}

/** Rows in columns, two spaces apart, no trailing blanks. */
export function renderTable(
  rows: readonly (readonly string[])[],
  align: readonly ('right' | undefined)[] = [],
): string {
  if (rows.length === 0) return ''
  const width = Math.max(...rows.map((row) => row.length))
  const table = new Table({
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: Array.from({ length: width }, (_, i) => align[i] ?? 'left'),
  })
  table.push(...rows.map((row) => [...row]))
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`
}

const edges = ['top', 'bottom', 'left', 'right', 'mid'] as const
const noBorders = {
  ...Object.fromEntries(
    edges.flatMap((edge) => [
      [edge, ''],
      [`${edge}-mid`, ''],
      [`${edge}-left`, ''],
      [`${edge}-right`, ''],
    ]),
  ),
  'mid-mid': '',
  middle: '  ',
}

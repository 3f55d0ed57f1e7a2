import { WeftError } from '../../common/errors.js'
import { didYouMean, guess } from '../../common/guess.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { type FilterFlag, filterFlags } from '../filter-flags.js'
import { refuseFormat } from '../formats.js'
import { findKind, type Kind } from '../kinds.js'
import { renderList, type View } from '../output.js'
import { connect } from '../session.js'
import { views } from '../views.js'

export type GetOptions = Readonly<Partial<Record<FilterFlag, readonly string[]>>> & {
  readonly sortBy?: string
  readonly limit?: string
  readonly headers?: boolean
}

type Item = Readonly<Record<string, unknown>>

/** Lists things of one kind; 4 when a name is asked for that does not exist. */
export async function get(
  ctx: CliContext,
  flags: GlobalFlags,
  kindWord: string,
  names: readonly string[],
  options: GetOptions,
): Promise<number> {
  const kind = findKind(kindWord)
  refuseFormat('get', flags, ['wide', 'json', 'yaml', 'name'])
  if (names.length > 0 && kind.nameFields.length === 0) {
    throw new WeftError('W-4001', `${kind.list} have no names: select with ${flagsOf(kind)}`)
  }
  const query = { ...queryOf(kind, options), ...(await sortOf(kind, options.sortBy)) }
  const all = await connect(ctx, flags).list<Item>(kind.list, query, limitOf(options.limit))
  const list = names.length === 0 ? all : { ...all, items: named(kind, all.items, names) }

  const view = views[kind.list] as unknown as View<Item>
  ctx.stdout.write(renderList(list, view, flags.output, { headers: options.headers ?? true }))
  for (const { node, message } of list.silent ?? []) {
    ctx.stderr.write(`${node} was not asked or did not answer: ${message}\n`)
  }
  if (list.items.length === 0 && (flags.output === 'table' || flags.output === 'wide')) {
    ctx.stderr.write(`No ${kind.list}.\n`)
  }
  return exitCodes.done
}

function queryOf(kind: Kind, options: GetOptions): Record<string, readonly string[]> {
  const query: Record<string, readonly string[]> = {}
  for (const flag of filterFlags) {
    const values = options[flag]
    if (values === undefined) continue
    const field = kind.filters[flag]
    if (field === undefined) {
      throw new WeftError('W-4001', `--${flag} does not select ${kind.list}`, {
        next: `select with ${flagsOf(kind)}`,
      })
    }
    query[field] = flag === 'mac' ? values.map((value) => value.toLowerCase()) : values
  }
  return query
}

async function sortOf(kind: Kind, sort: string | undefined): Promise<{ sort?: string }> {
  if (sort === undefined) return {}
  const { lists } = await import('../../api/list.js') // schemas, which every other list would wait for
  const fields = Object.keys(lists[kind.list].item.shape)
  const field = sort.replace(/^-/, '')
  if (fields.includes(field)) return { sort }
  throw new WeftError('W-4001', `${kind.list} have no field "${field}"${didYouMean(field, fields)}`, {
    next: `--sort-by ${fields.join('|')}`,
  })
}

function named(kind: Kind, items: readonly Item[], names: readonly string[]): Item[] {
  const nameOf = (item: Item) => kind.nameFields.map((field) => String(item[field])).join('/')
  const found = items.filter((item) => names.includes(nameOf(item)))
  const missing = names.find((name) => !items.some((item) => nameOf(item) === name))
  if (missing === undefined) return found
  const near = guess(missing, items.map(nameOf))
  throw new WeftError(
    'W-3007',
    `there is no ${kind.singular} "${missing}"${near ? `, did you mean "${near}"?` : ''}`,
    {
      next: `weft get ${kind.list}`,
    },
  )
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  const limit = Number(text)
  if (Number.isInteger(limit) && limit > 0) return limit
  throw new WeftError('W-4001', `--limit ${text}: give a number above 0`)
}

function flagsOf(kind: Kind): string {
  return Object.keys(kind.filters)
    .map((flag) => `--${flag}`)
    .join(', ')
}

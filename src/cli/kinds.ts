import type { ListName } from '../api/list.js'
import { WeftError } from '../common/errors.js'
import { didYouMean } from '../common/guess.js'
import type { FilterFlag } from './filter-flags.js'

/** A kind of thing that `get` lists: how it may be called, and which flags and names select. */
export interface Kind {
  readonly list: ListName
  /** `node`, as messages say it. */
  readonly singular: string
  readonly short: readonly string[]
  /** Flag to field of the API. */
  readonly filters: Readonly<Partial<Record<FilterFlag, string>>>
  /** Fields that a NAME argument gives, split at `/`; none: takes no names. */
  readonly nameFields: readonly string[]
}

const place = { node: 'node', network: 'network', vni: 'vni' } as const

export const kinds: readonly Kind[] = [
  kind('topologies', 'topology', ['topo'], { topology: 'name' }, ['name']),
  kind('nodes', 'node', ['no'], { node: 'name', state: 'state' }, ['name']),
  kind('networks', 'network', ['net'], { network: 'name', vni: 'vni', topology: 'topology' }, ['name']),
  kind('ports', 'port', ['po'], { ...place, state: 'state' }, ['node', 'interface']),
  kind('macs', 'mac', ['fdb'], { ...place, mac: 'mac', ip: 'ip' }, ['mac']),
  kind('tunnels', 'tunnel', ['tun'], place, []),
  kind('drops', 'drop', [], { ...place, reason: 'reason' }, []),
]

/** @throws WeftError W-4001 with a guess. */
export function findKind(word: string): Kind {
  const found = kinds.find(
    ({ list, singular, short }) => list === word || singular === word || short.includes(word),
  )
  if (found) return found
  const words = kinds.map(({ list }) => list)
  throw new WeftError('W-4001', `there is no kind "${word}"${didYouMean(word, words)}`, {
    next: `weft get ${words.join('|')}`,
  })
}

function kind(
  list: ListName,
  singular: string,
  short: readonly string[],
  filters: Kind['filters'],
  nameFields: readonly string[],
): Kind {
  return { list, singular, short, filters, nameFields }
}

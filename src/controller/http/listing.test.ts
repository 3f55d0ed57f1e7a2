import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { page } from './listing.js'

const hosts = ['host10', 'host2', 'host1'].map((name) => ({
  name,
  state: name === 'host2' ? 'away' : 'ready',
}))

describe('page', () => {
  it('orders by the key, numbers by value', () => {
    expect(page('nodes', hosts, { limit: 10 }).items.map((item) => item.name)).toEqual([
      'host1',
      'host2',
      'host10',
    ])
  })

  it('filters by equality, any of several values', () => {
    const names = (query: object) =>
      page('nodes', hosts, { limit: 10, ...query }).items.map((item) => item.name)
    expect(names({ state: 'away' })).toEqual(['host2'])
    expect(names({ name: ['host1', 'host10'] })).toEqual(['host1', 'host10'])
    expect(names({ name: 'host3' })).toEqual([])
  })

  it('compares numbers with the text of the query', () => {
    const items = [{ name: 'red', vni: 10_000 }]
    expect(page('networks', items, { limit: 1, vni: '10000' }).items).toHaveLength(1)
  })

  it('gives only the fields asked for', () => {
    expect(page('nodes', hosts, { limit: 1, fields: 'state' }).items).toEqual([{ state: 'ready' }])
  })

  it('neither repeats nor hides an item when others come and go between two pages', () => {
    const first = page('nodes', hosts, { limit: 2 })
    const changed = [{ name: 'host0', state: 'ready' }, ...hosts.filter(({ name }) => name !== 'host1')]
    const second = page('nodes', changed, { limit: 2, cursor: first.next_cursor! })
    expect(second).toEqual({ items: [{ name: 'host10', state: 'ready' }], next_cursor: null })
  })

  it('refuses a cursor of another order', () => {
    const { next_cursor } = page('nodes', hosts, { limit: 1 })
    expect(() => page('nodes', hosts, { limit: 1, sort: '-state', cursor: next_cursor! })).toThrow(/cursor/)
    expect(() => page('nodes', hosts, { limit: 1, cursor: 'xyz' })).toThrow(/cursor/)
  })

  it('walks through any list in any order and meets each item once', () => {
    const item = fc.record({ node: fc.string(), interface: fc.string(), mtu: fc.option(fc.nat(3)) })
    const items = fc.uniqueArray(item, {
      selector: ({ node, interface: dev }) => JSON.stringify([node, dev]),
    })
    fc.assert(
      fc.property(
        items,
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(undefined, 'mtu', '-mtu'),
        (all, limit, sort) => {
          const seen: unknown[] = []
          let cursor: string | undefined
          do {
            const result = page('ports', all, { limit, sort, cursor })
            seen.push(...result.items)
            cursor = result.next_cursor ?? undefined
          } while (cursor !== undefined && seen.length <= all.length)
          expect(seen).toHaveLength(all.length)
          expect(new Set(seen)).toEqual(new Set(all))
        },
      ),
    )
  })
})

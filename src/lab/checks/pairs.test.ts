import { describe, expect, it } from 'vitest'
import type { Endpoint } from './check.js'
import { judgePairs, pairsOf } from './pairs.js'

function endpoint(name: string, network: string, ...addresses: string[]): Endpoint {
  return { name, namespace: name, node: 'host0', interface: name, network, mac: '', addresses, mtu: 1450 }
}

const members = [
  endpoint('a', 'red', '10.0.0.1/24', 'fd00::1/64'),
  endpoint('b', 'red', '10.0.0.2/24', 'fd00::2/64'),
  endpoint('elsewhere', 'red', '10.9.0.1/24'),
  endpoint('blue', 'blue', '10.0.0.3/24'),
]

describe('pairsOf', () => {
  it('pairs what is on one subnet of one network, both ways, by both families', () => {
    const pairs = pairsOf('red', members).map(({ from, to, address }) => `${from.name}>${to.name} ${address}`)
    expect(pairs).toEqual(['a>b 10.0.0.2', 'a>b fd00::2', 'b>a 10.0.0.1', 'b>a fd00::1'])
  })
})

describe('judgePairs', () => {
  it('names the pairs that failed', async () => {
    const finding = await judgePairs(pairsOf('red', members), async ({ address }) =>
      address === '10.0.0.1' ? 'no answer' : undefined,
    )
    expect(finding).toEqual({ ok: false, detail: '3/4 pairs; b → a (10.0.0.1): no answer' })
  })

  it('does not pass a network in which there is nothing to try', async () => {
    expect((await judgePairs([], async () => undefined)).ok).toBe(false)
  })
})

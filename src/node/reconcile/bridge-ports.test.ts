import { describe, expect, it } from 'vitest'
import { formatMac, isStation } from '../../model/mac.js'
import { bridgePair, isPairEnd, pairAlias } from './bridge-ports.js'

describe('bridgePair', () => {
  it('names both ends within IFNAMSIZ, the same each time, and another for another bridge', () => {
    const pair = bridgePair('host0', 'br-with-a-long0')
    expect(pair.port).toMatch(/^wp[0-9a-f]{8}$/)
    expect(formatMac(pair.plugMac)).toMatch(/^fe:ff:/)
    expect(isStation(pair.plugMac)).toBe(true)
    expect(pair.plug).toBe(pair.port.replace('wp', 'wb'))
    expect(bridgePair('host0', 'br-with-a-long0')).toEqual(pair)
    expect(bridgePair('host1', 'br-with-a-long0').port).not.toBe(pair.port)
  })
})

describe('isPairEnd', () => {
  const { port: name } = bridgePair('host0', 'br0')

  it('knows ours by name, kind and mark, and one that was not marked yet', () => {
    expect(isPairEnd({ name, kind: 'veth', alias: pairAlias('br0') })).toBe(true)
    expect(isPairEnd({ name, kind: 'veth' })).toBe(true)
  })

  it('leaves alone what only has the name', () => {
    expect(isPairEnd({ name, kind: 'bridge' })).toBe(false)
    expect(isPairEnd({ name, kind: 'veth', alias: 'somebody' })).toBe(false)
    expect(isPairEnd({ name: 'wp1', kind: 'veth' })).toBe(false)
  })
})

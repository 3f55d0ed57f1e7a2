import { describe, expect, it } from 'vitest'
import type { Mac } from '../../model/mac.js'
import { MoveDamper } from './move-damper.js'

const mac = (n: number) => n as Mac
const MINUTE = 60_000

function freeze(damper: MoveDamper, which: Mac, at: number): boolean {
  return [0, 1, 2, 3, 4].map((n) => damper.moved(1, which, at + n)).at(-1)!
}

describe('MoveDamper', () => {
  it('freezes a MAC at its fifth move within three minutes, for three minutes', () => {
    const damper = new MoveDamper()
    expect(freeze(damper, mac(1), 0)).toBe(true)
    expect(damper.frozen(1, mac(1), 3 * MINUTE)).toBe(true)
    expect(damper.frozen(1, mac(1), 3 * MINUTE + 4)).toBe(false)
    expect(damper.frozen(2, mac(1), MINUTE)).toBe(false)
  })

  it('forgets MACs that nobody asks for again, frozen ones too', () => {
    const damper = new MoveDamper()
    for (let n = 0; n < 100; n++) freeze(damper, mac(n), n)
    damper.moved(1, mac(200), 50)
    expect(damper.size).toBe(101)
    damper.moved(1, mac(300), 10 * MINUTE)
    expect(damper.size).toBe(1)
  })
})

import { describe, expect, it } from 'vitest'
import { WeftError } from '../../common/errors.js'
import { type Driver, type Inbox, type Outcome, reconcile } from './reconciler.js'

type Wake = 'changed' | 'timeout'

/** Runs the loop over `steps` with a clock that only waiting moves; each step may put a value. */
async function run(
  drivers: Driver<string>[],
  steps: { wake: Wake; value?: string; after?: number }[],
  cpuPerPass = 0,
): Promise<{ passes: Outcome<string>[]; waits: number[]; thrown: string[] }> {
  const passes: Outcome<string>[] = []
  const waits: number[] = []
  const thrown: string[] = []
  let now = 0
  let cpu = 0
  let value: string | undefined
  const queue = [...steps]
  const inbox: Inbox<string> = {
    get value() {
      return value
    },
    async wait(timeoutMs) {
      waits.push(timeoutMs)
      const step = queue.shift()
      if (!step) return 'stopped'
      now += step.wake === 'timeout' ? timeoutMs : (step.after ?? 0)
      if (step.value !== undefined) value = step.value
      return step.wake
    },
  }
  const opts = {
    now: () => now,
    cpuMs: () => {
      cpu += cpuPerPass / 2
      return cpu
    },
    resyncMs: 1000,
    backoffMs: (failures: number) => 100 * failures,
    onPass: (outcome: Outcome<string>) => passes.push(outcome),
    onThrow: (driver: string) => thrown.push(driver),
  }
  await reconcile(drivers, inbox, opts, new AbortController().signal)
  return { passes, waits, thrown }
}

function recorder(name: string, calls: string[], fail?: () => unknown): Driver<string> {
  return {
    name,
    async apply(desired, { resync }) {
      calls.push(`${name} ${desired}${resync ? ' read-back' : ''}`)
      const failure = fail?.()
      if (failure) throw failure
      return []
    },
  }
}

describe('reconcile', () => {
  it('touches nothing before the first complete state, however long that takes', async () => {
    const calls: string[] = []
    await run([recorder('fdb', calls)], [{ wake: 'timeout' }, { wake: 'changed' }, { wake: 'timeout' }])
    expect(calls).toEqual([])
  })

  it('reads back at the start, then writes changes alone, then reads back again when it is time', async () => {
    const calls: string[] = []
    await run(
      [recorder('fdb', calls)],
      [{ wake: 'changed', value: 'a' }, { wake: 'changed', value: 'b' }, { wake: 'timeout' }],
    )
    expect(calls).toEqual(['fdb a read-back', 'fdb b', 'fdb b read-back'])
  })

  it('goes on with the other drivers when one throws, and reads only that one back next time', async () => {
    const calls: string[] = []
    let broken = true
    const fdb = recorder('fdb', calls, () => (broken ? new WeftError('W-2106', 'fdb is full') : undefined))
    const attach = recorder('attach', calls, () => {
      broken = false
      return undefined
    })
    const { passes, thrown } = await run(
      [fdb, attach],
      [{ wake: 'changed', value: 'a' }, { wake: 'timeout' }],
    )
    expect(calls).toEqual(['fdb a read-back', 'attach a read-back', 'fdb a read-back', 'attach a'])
    expect(passes.map(({ failures }) => failures.map(({ code, what }) => `${code} ${what}`))).toEqual([
      ['W-2106 fdb'],
      [],
    ])
    expect(thrown).toEqual(['fdb'])
  })

  it('waits longer with each failed pass, though never past the next read-back', async () => {
    const calls: string[] = []
    const { waits } = await run(
      [recorder('fdb', calls, () => new Error('no'))],
      [{ wake: 'changed', value: 'a' }, { wake: 'timeout' }, { wake: 'timeout' }],
    )
    expect(waits).toEqual([1000, 100, 200, 300])
  })

  it('reads back more seldom when reading back is dear', async () => {
    const { waits } = await run([recorder('fdb', [])], [{ wake: 'changed', value: 'a' }], 100)
    expect(waits).toEqual([1000, 2500])
  })
})

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { BpfObject } from '../../src/node/bpf/object.js'
import { ReadablePoll } from '../../src/node/bpf/readable-poll.js'
import { testRun } from '../../src/node/bpf/test-run.js'
import { type Fixture, makeFixture } from './ffi-fixture.js'

// Each of these once ended or silenced a process.

let fixture: Fixture
beforeAll(() => {
  fixture = makeFixture()
})
afterAll(() => fixture.remove())

function script(name: string, ...args: string[]): ReturnType<typeof spawnSync> {
  const path = join(import.meta.dirname, 'fixtures', name)
  return spawnSync(process.execPath, ['--import', 'tsx', path, ...args], { encoding: 'utf8' })
}

describe('libbpf messages', () => {
  it('do not abort the process after a Worker that used libbpf has ended', () => {
    const { status, signal, stdout } = script('worker-messages.ts', fixture.compile('refused'))
    expect({ status, signal, stdout }).toEqual({ status: 0, signal: null, stdout: 'W-2006\n'.repeat(3) })
  })

  it('are kept for the error, not printed', () => {
    const { stderr, stdout } = script('load-object.ts', fixture.compile('refused'))
    expect(stdout).toContain('W-2006')
    expect(stderr).toBe('')
  })
})

describe('ReadablePoll', () => {
  it('makes an exception in its callback an uncaught one, not a silent one', () => {
    const { status, stderr } = script('poll-throws.ts')
    expect(status).not.toBe(0)
    expect(stderr).toContain('Error: not swallowed')
  })

  it('calls once for each arming, and never after disposal', async () => {
    const fd = createRing()
    const calls: number[] = []
    const poll = new ReadablePoll(fd, (status) => calls.push(status), { keepsProcessAlive: true })

    poll.arm()
    await vi.waitFor(() => expect(calls).toEqual([0]))
    await turns(20)
    expect(calls).toEqual([0])
    poll.arm()
    await vi.waitFor(() => expect(calls).toEqual([0, 0]))
    poll.arm()
    poll[Symbol.dispose]()
    await turns(20)
    expect(calls).toEqual([0, 0])
  })
})

/** A ring with a record that nobody reads, so that it stays readable. */
function createRing(): number {
  const object = BpfObject.open(fixture.compile('ffi'), { pinRoot: join(fixture.bpffs, 'poll') })
  object.load()
  onTestFinished(() => object[Symbol.dispose]())
  testRun(object.program('emit'), new Uint8Array(60))
  return object.mapFd('ring')
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn()
}

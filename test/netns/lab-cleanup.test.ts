import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { must, run } from '../../src/lab/command.js'
import { destroyLab } from '../../src/lab/destroy.js'
import { labDirectory } from '../../src/lab/names.js'
import { findPids, killAll } from '../../src/lab/process.js'
import { readRecord, writeRecord } from '../../src/lab/record.js'
import { removeStaleLab } from '../../src/lab/stale-lab.js'
import { deploy, root, topologyText, weft } from './harness.js'
import { remainsOf } from './remains.js'

const name = 'wt-cleanup'
const knob = '/sys/kernel/rcu_expedited'
const knobBefore = readFileSync(knob, 'utf8')
const cli = `${root}dist/cli/main.js`
let directory: string
let file: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wt-cleanup-'))
  file = join(directory, 'lab.yaml')
  writeFileSync(file, topologyText('quickstart.yaml').replace(/^name: .*$/m, `name: ${name}`))
})

afterAll(async () => {
  await destroyLab(name)
  rmSync(directory, { recursive: true })
})

describe('weft lab destroy', () => {
  it('leaves nothing after everything was killed with SIGKILL, and needs no file', async () => {
    const lab = await deploy('quickstart.yaml', name)
    expect(await lab.ping('alice', lab.address('bob'))).toBe(3)
    await killAll(await findPids(name, lab.record.namespaces))
    rmSync(`${labDirectory(name)}/topology.yaml`)
    const { code, stdout } = await weft(undefined, 'lab', 'destroy', name)
    expect(stdout).toMatch(/removed .*namespaces/)
    expect(code).toBe(0)
    expect(await remainsOf(name)).toEqual([])
  })

  it('finds a lab by its marks when nothing written about it is left', async () => {
    await deploy('quickstart.yaml', name)
    for (const part of ['lab.json', 'process']) rmSync(`${labDirectory(name)}/${part}`, { recursive: true })
    const { code } = await weft(undefined, 'lab', 'destroy', name)
    expect(code).toBe(0)
    expect(await remainsOf(name)).toEqual([])
  })

  it('of a lab that is not there says so and exits 4', async () => {
    const { code, stderr } = await weft(undefined, 'lab', 'destroy', 'wt-nobody')
    expect(code).toBe(4)
    expect(stderr).toMatch(/W-4004.*wt-nobody/)
  })
})

describe('weft lab deploy', () => {
  it.each([30, 150, 300, 600, 1000])(
    'killed with SIGKILL after %i ms is cleaned up by destroy',
    async (afterMs) => {
      const child = spawn(process.execPath, [cli, 'lab', 'deploy', '-f', file], { stdio: 'ignore' })
      const exited = once(child, 'exit')
      await deployBegan(child)
      await sleep(afterMs)
      child.kill('SIGKILL')
      await exited
      await destroyLab(name)
      expect(await remainsOf(name)).toEqual([])
      expect(readFileSync(knob, 'utf8')).toBe(knobBefore)
    },
  )

  it.each([
    ['SIGINT', 130, 100],
    ['SIGTERM', 143, 500],
    ['SIGTERM', 143, 100],
    ['SIGHUP', 129, 400],
  ] as const)(
    'ended by %s rolls back, says what it removed, and exits %i (after %i ms)',
    async (signal, exit, afterMs) => {
      const child = spawn(process.execPath, [cli, 'lab', 'deploy', '-f', file], { stdio: 'pipe' })
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
      const exited = once(child, 'exit')
      await deployBegan(child)
      await sleep(afterMs)
      child.kill(signal)
      const [code] = await exited
      expect(said).toMatch(/rolled back: removed/)
      expect(code).toBe(exit)
      expect(await remainsOf(name)).toEqual([])
      expect(readFileSync(knob, 'utf8')).toBe(knobBefore)
    },
  )

  it('with nobody left to read what it says rolls back, as after SIGPIPE', async () => {
    const child = spawn(process.execPath, [cli, 'lab', 'deploy', '-f', file], { stdio: 'pipe' })
    child.stdout.destroy()
    const [code] = await once(child, 'exit')
    expect(code).toBe(141)
    expect(await remainsOf(name)).toEqual([])
  })

  it('names an address that answers, and commands that a checkout can run', async () => {
    const { code, stdout } = await weft(undefined, 'lab', 'deploy', '-f', file)
    expect(code).toBe(0)
    const [, url = ''] = /^open (http\S+) .* npx weft lab destroy wt-cleanup$/m.exec(stdout) ?? []
    expect((await fetch(url)).status).toBe(200)
    expect((await run([cli, 'lab', 'destroy', name])).code).toBe(0) // as npx does: by its execute bit
    expect(await remainsOf(name)).toEqual([])
  })

  it('of a lab that is there is refused with exit 5, and leaves it alone', async () => {
    const lab = await deploy('quickstart.yaml', name)
    const { code, stderr } = await weft(undefined, 'lab', 'deploy', '-f', file)
    expect(code).toBe(5)
    expect(stderr).toContain(`W-4003 lab ${name} is already running`)
    expect(stderr).toContain(`next: weft lab destroy ${name}\n`)
    expect(await lab.ping('alice', lab.address('bob'))).toBe(3)
    await destroyLab(name)
    expect(await remainsOf(name)).toEqual([])
  })
})

describe('a namespace that is no lab of ours but has the name of one', () => {
  const foreign = `weft-${name}-alice`

  it('is named, left alone, and leaves no claim behind', async () => {
    await must(['ip', 'netns', 'add', foreign])
    try {
      const { code, stderr } = await weft(undefined, 'lab', 'deploy', '-f', file)
      expect(code).toBe(5)
      expect(stderr).toMatch(new RegExp(`W-4003 namespace ${foreign} .*${name}`))
      expect(await remainsOf(name)).toEqual([`namespace ${foreign}`])
    } finally {
      await must(['ip', 'netns', 'del', foreign])
    }
  })
})

describe('a lab that lives as long as its deployer', () => {
  it('is taken away once its deployer is dead, and never before', async () => {
    const { record } = await deploy('quickstart.yaml', name)
    await expect(removeStaleLab(name, record.file)).rejects.toMatchObject({ code: 'W-4003' })

    await writeRecord({ ...record, deployed_by: { ...record.deployed_by, start_time: '1' } })
    await expect(removeStaleLab(name, '/another.yaml')).rejects.toMatchObject({ code: 'W-4003' })

    expect(await removeStaleLab(name, record.file)).toMatchObject({ directories: 1 })
    expect(await remainsOf(name)).toEqual([])
    expect(await removeStaleLab(name, record.file)).toBeUndefined()
  })
})

/** Its directory is its first trace; a child that has none yet has nothing to clean up. */
async function deployBegan(child: { exitCode: number | null }): Promise<void> {
  while ((await readRecord(name)) === undefined && child.exitCode === null) await sleep(5)
}

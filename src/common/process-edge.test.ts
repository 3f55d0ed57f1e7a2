import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const module = (name: string) => JSON.stringify(fileURLToPath(new URL(`./${name}`, import.meta.url)))

// A daemon as its main.ts would be; `mode` decides how it ends.
const source = `
import { z } from 'zod'
import { runDaemon } from ${module('process-edge.ts')}
import { WeftError } from ${module('errors.ts')}
await runDaemon({
  component: 'node',
  schema: z.object({
    mode: z.enum(['wait', 'known', 'unknown', 'later']).describe('How it ends'),
    log_level: z.enum(['info', 'silent']).default('info').describe('Least severe level'),
  }),
  async run({ mode }, { log, signal }) {
    if (mode === 'known') throw new WeftError('W-2001', 'CAP_BPF is missing, so no program can be loaded', { next: 'run it as root' })
    if (mode === 'unknown') throw new TypeError('x is not a function')
    if (mode === 'later') setTimeout(() => { throw new Error('out of nowhere') }, 10)
    const alive = setInterval(() => {}, 1000)
    log.info('running')
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    clearInterval(alive)
    log.info('stopped')
  },
})
`

let directory = ''
let script = ''
beforeAll(() => {
  // Below the repository, so that the script finds its packages.
  const build = fileURLToPath(new URL('../../build/', import.meta.url))
  mkdirSync(build, { recursive: true })
  directory = mkdtempSync(join(build, 'wt-edge-'))
  script = join(directory, 'daemon.ts')
  writeFileSync(script, source)
})
afterAll(() => rmSync(directory, { recursive: true }))

function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', script, ...argv], (err, stdout, stderr) => {
      resolve({ code: Number(err?.code ?? 0), stdout, stderr })
    })
  })
}

describe('a daemon', { timeout: 60_000 }, () => {
  it('ends with one clear line, the next step and the exit code of the catalogue', async () => {
    const { code, stderr } = await run('--mode', 'known')
    expect({ code, stderr }).toEqual({
      code: 7,
      stderr: 'weft-node: W-2001 CAP_BPF is missing, so no program can be loaded\n  next: run it as root\n',
    })
  })

  it('shows no stack trace of a defect, and logs it', async () => {
    const { code, stdout, stderr } = await run('--mode', 'unknown')
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'weft-node: W-5000 x is not a function\n' })
    expect(JSON.parse(stdout)).toMatchObject({
      level: 'fatal',
      component: 'node',
      err: { type: 'TypeError' },
    })
  })

  it('ends so too when something is thrown where nobody waits', async () => {
    const { code, stderr } = await run('--mode', 'later')
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'weft-node: W-5000 out of nowhere\n' })
  })

  it('says what is wrong with its settings', async () => {
    const { code, stderr } = await run('--mode', 'no', '--log-level', 'loud')
    expect(code).toBe(2)
    expect(stderr.split('\n')).toEqual([
      'weft-node: W-4002 --mode no: give one of wait, known, unknown, later',
      'weft-node: W-4002 --log-level loud: give one of info, silent',
      '  next: weft-node --help',
      '',
    ])
  })

  it('checks its settings without running', async () => {
    const { code, stdout } = await run('--mode', 'wait', '--check-config')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'mode       "wait"  (--mode)\nlog_level  "info"  (default)\nThe settings are right.\n',
    })
  })

  it('prints its settings and its version', async () => {
    const help = await run('--help')
    expect(help.code).toBe(0)
    expect(help.stdout.replaceAll(/\s+/g, ' ')).toContain(
      '--mode <text> How it ends; one of wait, known, unknown, later [WEFT_NODE_MODE]',
    )
    expect(await run('--version')).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^weft-node \d+\./),
      stderr: '',
    })
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('stops cleanly on %s', async (signal) => {
    const child = spawn(process.execPath, ['--import', 'tsx', script, '--mode', 'wait'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    await expect.poll(() => stdout, { timeout: 60_000 }).toContain('"running"')
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(stdout).toContain('"stopped"')
  })
})

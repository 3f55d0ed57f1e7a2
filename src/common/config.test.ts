import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadConfig } from './config.js'
import { WeftError } from './errors.js'

const schema = z.object({
  node_name: z.string().min(1).describe('This node'),
  resync_ms: z.number().int().min(100).default(1000).describe('Full read-back interval'),
  controller: z.array(z.string()).default(['127.0.0.1:7789']).describe('Controllers'),
  insecure: z.boolean().default(false).describe('Listen anywhere'),
  log_level: z.enum(['info', 'debug']).default('info').describe('Level'),
})

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wt-config-'))
  mkdirSync(join(root, 'etc/node.d'), { recursive: true })
  mkdirSync(join(root, 'lib'))
})
afterEach(() => rmSync(root, { recursive: true }))

function load(argv: string[], env: NodeJS.ProcessEnv = {}) {
  return loadConfig(schema, {
    component: 'node',
    argv,
    env,
    dirs: { etc: join(root, 'etc'), lib: join(root, 'lib') },
  })
}

function file(path: string, text: string) {
  writeFileSync(join(root, path), text)
}

function failure(run: () => unknown): WeftError {
  try {
    run()
  } catch (err) {
    if (err instanceof WeftError) return err
    throw err
  }
  throw new Error('nothing was thrown')
}

describe('loadConfig', () => {
  it('prefers flag, then variable, then the last drop-in, then the file, then the package, then the default', () => {
    const value = (argv: string[], env: NodeJS.ProcessEnv = {}) =>
      load(['--node-name', 'a', ...argv], env).config.resync_ms
    expect(value([])).toBe(1000)
    file('lib/node.yaml', 'resync_ms: 1001\n')
    expect(value([])).toBe(1001)
    file('etc/node.yaml', 'resync_ms: 1002\n')
    expect(value([])).toBe(1002)
    file('etc/node.d/10-a.yaml', 'resync_ms: 1003\n')
    file('etc/node.d/20-b.yaml', 'resync_ms: 1004\n')
    expect(value([])).toBe(1004)
    expect(value([], { WEFT_NODE_RESYNC_MS: '1005' })).toBe(1005)
    expect(value(['--resync-ms', '1006'], { WEFT_NODE_RESYNC_MS: '1005' })).toBe(1006)
  })

  it('says where each setting came from', () => {
    file('etc/node.yaml', '# ours\nresync_ms: 2000\n')
    const { sources } = load(['--node-name=a'], { WEFT_NODE_LOG_LEVEL: 'debug' })
    expect(sources).toEqual({
      node_name: '--node-name',
      resync_ms: `${root}/etc/node.yaml:2:1`,
      log_level: 'WEFT_NODE_LOG_LEVEL',
      controller: 'default',
      insecure: 'default',
    })
  })

  it('reads lists from repeated flags, commas and YAML, and switches with or without a value', () => {
    const { config } = load([
      '--node-name',
      'a',
      '--controller',
      'x:1,y:2',
      '--controller',
      'unix:/z',
      '--insecure',
    ])
    expect(config).toMatchObject({ controller: ['x:1', 'y:2', 'unix:/z'], insecure: true })
    file('etc/node.yaml', 'controller: [q:1]\ninsecure: true\n')
    expect(load(['--node-name', 'a', '--insecure', 'false']).config).toMatchObject({
      controller: ['q:1'],
      insecure: false,
    })
  })

  it('refuses an unknown key of a file with its position and a guess', () => {
    file('etc/node.yaml', 'node_name: a\n\nresink_ms: 5\n')
    const error = failure(() => load([]))
    expect(error.code).toBe('W-4002')
    expect(error.message).toBe(
      `${root}/etc/node.yaml:3:1 resink_ms: no such setting, did you mean "resync_ms"?`,
    )
  })

  it('reports every wrong value with its source, overridden ones too', () => {
    file('etc/node.yaml', 'node_name: a\nresync_ms: 5\n')
    const error = failure(() => load(['--resync-ms', 'soon'], { WEFT_NODE_LOG_LEVEL: 'loud' }))
    expect(error.message.split('\n')).toEqual([
      `${root}/etc/node.yaml:2:1 resync_ms 5: give at least 100`,
      'WEFT_NODE_LOG_LEVEL loud: give one of info, debug',
      '--resync-ms soon: give a number',
    ])
  })

  it('says in plain words what is wanted, and of a list which part', () => {
    const problems = (...argv: string[]) => failure(() => load(['--node-name', 'a', ...argv])).message
    expect(problems('--insecure', 'maybe')).toBe('--insecure maybe: give true or false')
    expect(problems('--node-name', '')).toBe('--node-name "": give at least 1 character')
    expect(problems('--resync-ms', '100.5')).toBe('--resync-ms 100.5: give a whole number')
    file('etc/node.yaml', 'controller: [a:1, 7]\n')
    expect(problems()).toBe(`${root}/etc/node.yaml:1:1 controller 7: give text`)
  })

  it('says how to give a setting that has no default', () => {
    const error = failure(() => load([]))
    expect(error.message).toBe(
      'node_name is not set: give --node-name, WEFT_NODE_NODE_NAME, or node_name in /etc/weft/node.yaml',
    )
    expect(error.row.exit).toBe(2)
  })

  it('refuses an unknown flag as a usage error with a suggestion', () => {
    const error = failure(() => load(['--node-nam', 'a']))
    expect(error.code).toBe('W-4001')
    expect(error.message).toBe("unknown option '--node-nam', did you mean --node-name?")
  })

  it('reads only the file of --config, which must exist', () => {
    file('etc/node.yaml', 'resync_ms: 2000\n')
    file('own.yaml', 'node_name: b\n')
    expect(load(['--config', join(root, 'own.yaml')]).config).toMatchObject({
      node_name: 'b',
      resync_ms: 1000,
    })
    expect(failure(() => load(['--config', '/nowhere.yaml'])).message).toMatch(
      /^\/nowhere.yaml: there is no such file/,
    )
  })

  it('refuses YAML that does not parse, with the position', () => {
    file('etc/node.yaml', 'node_name: [a\n')
    expect(failure(() => load([])).message).toContain(`${root}/etc/node.yaml:2:1 `)
  })

  it('warns of a variable that looks like a setting but is none', () => {
    const { warnings } = load(['--node-name', 'a'], { WEFT_NODE_RESYNCMS: '1' })
    expect(warnings).toEqual(['WEFT_NODE_RESYNCMS is no setting, did you mean "WEFT_NODE_RESYNC_MS"?'])
  })

  it('notes --check-config', () => {
    expect(load(['--node-name', 'a', '--check-config']).checkOnly).toBe(true)
  })
})

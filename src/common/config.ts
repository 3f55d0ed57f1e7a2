import { join } from 'node:path'
import type { z } from 'zod'
import { dropIns, readConfigFile } from './config-file.js'
import { WeftError } from './errors.js'
import { didYouMean } from './guess.js'
import { type Component, fromText, parseFlags, type Setting, settingsOf } from './setting-flags.js'
import { settingProblem } from './setting-problem.js'

export interface LoadConfigOptions {
  readonly component: Component
  /** Without node and script: `process.argv.slice(2)`. */
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Where settings files lie. */
  readonly dirs?: { readonly etc: string; readonly lib: string }
}

export interface LoadedConfig<S extends z.ZodObject> {
  readonly config: z.output<S>
  /** Which of flag, variable, file or default won, by setting. */
  readonly sources: Readonly<Record<string, string>>
  /** `--check-config` was given: print and end. */
  readonly checkOnly: boolean
  /** Variables that look like settings but are none. */
  readonly warnings: readonly string[]
}

interface Candidate {
  readonly key: string
  readonly value: unknown
  /** Where it was given. */
  readonly source: string
  /** The setting as it was given there. */
  readonly spelling: string
}

/**
 * Settles a daemon's settings. Highest first: flag, `WEFT_<COMPONENT>_<NAME>`,
 * `/etc/weft/<component>.d/*.yaml` (last name first), `/etc/weft/<component>.yaml`,
 * `/usr/lib/weft/<component>.yaml`, the schema's default. `--config FILE` stands for all files.
 *
 * @throws WeftError W-4001 for an unknown flag; W-4002 with every wrong or unknown setting,
 * overridden ones too; CommanderError with exit code 0 once `--help` or `--version` is printed.
 */
export function loadConfig<S extends z.ZodObject>(schema: S, opts: LoadConfigOptions): LoadedConfig<S> {
  const settings = settingsOf(opts.component, schema)
  const flags = parseFlags(opts.component, settings, opts.argv)
  const problems: string[] = []
  const candidates = [
    ...fromFiles(opts, settings, flags.configFile, problems),
    ...fromEnv(settings, opts.env),
    ...[...flags.values].map(([key, value]) => candidateOf(key, value, flagOf(settings, key))),
  ]

  const config: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  for (const candidate of candidates) accept(schema, candidate, config, sources, problems)
  for (const setting of settings) {
    if (setting.key in sources) continue
    const result = (schema.shape[setting.key] as z.ZodType).safeParse(undefined)
    if (result.success) {
      config[setting.key] = result.data
      sources[setting.key] = 'default'
    } else if (problems.length === 0) problems.push(missing(opts.component, setting))
  }
  if (problems.length > 0) throw invalid(opts.component, problems)
  return {
    config: config as z.output<S>,
    sources,
    checkOnly: flags.checkOnly,
    warnings: unknownVariables(opts, settings),
  }
}

// Later candidates are stronger, so they overwrite; weaker ones are checked all the same.
function accept(
  schema: z.ZodObject,
  { key, value, source, spelling }: Candidate,
  config: Record<string, unknown>,
  sources: Record<string, string>,
  problems: string[],
): void {
  const result = (schema.shape[key] as z.ZodType).safeParse(value)
  if (result.success) {
    config[key] = result.data
    sources[key] = source
    return
  }
  for (const issue of result.error.issues) problems.push(settingProblem(spelling, value, issue))
}

function fromFiles(
  { component, dirs = { etc: '/etc/weft', lib: '/usr/lib/weft' } }: LoadConfigOptions,
  settings: readonly Setting[],
  configFile: string | undefined,
  problems: string[],
): Candidate[] {
  const known = settings.map((setting) => setting.key)
  const paths = configFile
    ? [configFile]
    : [
        join(dirs.lib, `${component}.yaml`),
        join(dirs.etc, `${component}.yaml`),
        ...dropIns(join(dirs.etc, `${component}.d`)),
      ]
  const candidates: Candidate[] = []
  for (const path of paths) {
    const file = readConfigFile(path, known)
    if (!file && configFile) problems.push(`${configFile}: there is no such file`)
    if (!file) continue
    problems.push(...file.problems)
    candidates.push(
      ...file.values.map(({ key, value, place }) => candidateOf(key, value, place, `${place} ${key}`)),
    )
  }
  return candidates
}

function fromEnv(settings: readonly Setting[], env: NodeJS.ProcessEnv): Candidate[] {
  return settings.flatMap((setting) => {
    const text = env[setting.env]
    return text === undefined ? [] : [candidateOf(setting.key, fromText(setting, text), setting.env)]
  })
}

// A variable of another program must not stop us; a misspelt one should not go unseen.
function unknownVariables({ component, env }: LoadConfigOptions, settings: readonly Setting[]): string[] {
  const known = settings.map((setting) => setting.env)
  return Object.keys(env)
    .filter((name) => name.startsWith(`WEFT_${component.toUpperCase()}_`) && !known.includes(name))
    .map((name) => `${name} is no setting${didYouMean(name, known)}`)
}

function candidateOf(key: string, value: unknown, source: string, spelling = source): Candidate {
  return { key, value, source, spelling }
}

function flagOf(settings: readonly Setting[], key: string): string {
  return settings.find((setting) => setting.key === key)!.flag
}

function missing(component: Component, { key, flag, env }: Setting): string {
  return `${key} is not set: give ${flag}, ${env}, or ${key} in /etc/weft/${component}.yaml`
}

function invalid(component: Component, problems: readonly string[]): WeftError {
  return new WeftError('W-4002', problems.join('\n'), {
    next: `weft-${component} --help`,
    details: { problems },
  })
}

import { Command, CommanderError, Option } from 'commander'
import { z } from 'zod'
import { usageError } from './usage-error.js'
import { version } from './version.js'

export type Component = 'controller' | 'node'

/** One setting in its three spellings, and what help prints of it. */
export interface Setting {
  readonly key: string
  readonly flag: string
  readonly env: string
  readonly kind: 'boolean' | 'number' | 'list' | 'text'
  readonly choices: readonly string[]
  readonly fallback: unknown
  readonly description: string
}

/** The flags that were given, by setting key, as text or boolean; and the daemon's own flags. */
export interface Flags {
  readonly values: ReadonlyMap<string, unknown>
  readonly configFile: string | undefined
  readonly checkOnly: boolean
}

/** Reads names, kinds and defaults off the schema, so that flags, environment and help cannot drift from it. */
export function settingsOf(component: Component, schema: z.ZodObject): Setting[] {
  return Object.entries(schema.shape).map(([key, field]) => {
    const json = z.toJSONSchema(field as z.ZodType, { io: 'input', unrepresentable: 'any' }) as {
      type?: string
      enum?: string[]
      default?: unknown
      description?: string
    }
    return {
      key,
      flag: `--${key.replaceAll('_', '-')}`,
      env: `WEFT_${component.toUpperCase()}_${key.toUpperCase()}`,
      kind: kindOf(json.type),
      choices: json.enum ?? [],
      fallback: json.default,
      description: json.description ?? '',
    }
  })
}

/**
 * Reads a daemon's command line.
 *
 * @throws CommanderError with exit code 0 once `--help` or `--version` is printed;
 * WeftError W-4001 for anything it does not know.
 */
export function parseFlags(
  component: Component,
  settings: readonly Setting[],
  argv: readonly string[],
): Flags {
  const command = daemonCommand(component, settings)
  try {
    command.parse([...argv], { from: 'user' })
  } catch (err) {
    if (!(err instanceof CommanderError) || err.exitCode === 0) throw err
    throw usageError(err, `weft-${component}`)
  }
  const given = command.opts<Record<string, unknown>>()
  const values = new Map<string, unknown>()
  for (const setting of settings) {
    if (given[setting.key] !== undefined) values.set(setting.key, given[setting.key])
  }
  const configFile = given['config'] as string | undefined
  return { values, configFile, checkOnly: given['checkConfig'] === true }
}

/** Text of a flag or a variable as the kind the schema wants; what does not fit is left for the schema to refuse. */
export function fromText(setting: Setting, text: string): unknown {
  if (setting.kind === 'list') return text === '' ? [] : text.split(',').map((part) => part.trim())
  if (setting.kind === 'number') return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)
  if (setting.kind === 'boolean')
    return ({ true: true, '1': true, false: false, '0': false } as Record<string, boolean>)[text] ?? text
  return text
}

function daemonCommand(component: Component, settings: readonly Setting[]): Command {
  const command = new Command(`weft-${component}`)
    .exitOverride()
    .configureOutput({ writeErr: () => {} }) // errors leave as WeftError
    .configureHelp({ optionDescription: (option) => option.description })
    .usage('[settings]')
    .version(`weft-${component} ${version}`)
    .allowExcessArguments(false)
    .option('--config <file>', 'read this file instead of those under /etc/weft and /usr/lib/weft')
    .option('--check-config', 'check the settings, print where each comes from, and end with 0 or 2')
    .addHelpText('after', precedence(component))
  for (const setting of settings) command.addOption(optionOf(setting))
  return command
}

function optionOf(setting: Setting): Option {
  const about = `${setting.description}${fallbackText(setting)} [${setting.env}]`
  const value = { boolean: '[bool]', number: '<n>', list: '<list>', text: '<text>' }[setting.kind]
  const option = new Option(`${setting.flag} ${value}`, about)
  // Commander names a value after its flag in camelCase; settings keep their YAML spelling.
  option.attributeName = () => setting.key
  if (setting.kind === 'boolean') option.preset('true')
  return option.argParser((text: string, before: unknown) => {
    const value = fromText(setting, text)
    return setting.kind === 'list' && Array.isArray(before) && Array.isArray(value)
      ? [...before, ...value]
      : value
  })
}

function fallbackText({ fallback, choices }: Setting): string {
  const allowed = choices.length > 0 ? `; one of ${choices.join(', ')}` : ''
  if (fallback === undefined) return allowed
  return `${allowed} (default: ${Array.isArray(fallback) ? fallback.join(',') : JSON.stringify(fallback)})`
}

function precedence(component: Component): string {
  return `
A setting is taken from the first that has it: flag, variable in brackets, /etc/weft/${component}.d/*.yaml
(the last name first), /etc/weft/${component}.yaml, /usr/lib/weft/${component}.yaml, default. In a file it is
written with underscores. A list is a YAML list, or comma-separated; its flag may be repeated.

Exit codes: 0 stopped or settings are right, 2 usage or settings wrong, 3 etcd or controller unreachable,
5 conflict, 7 lacks a privilege or kernel feature, 1 anything else.`
}

function kindOf(type: string | undefined): Setting['kind'] {
  if (type === 'boolean') return 'boolean'
  if (type === 'integer' || type === 'number') return 'number'
  return type === 'array' ? 'list' : 'text'
}

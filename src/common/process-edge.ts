import { CommanderError } from 'commander'
import type { z } from 'zod'
import { type LoadedConfig, loadConfig } from './config.js'
import { WeftError } from './errors.js'
import { formatFatal } from './fatal-line.js'
import { createLogger, type Logger, type logLevels } from './logger.js'
import type { Component } from './setting-flags.js'

export interface Daemon<S extends z.ZodObject> {
  readonly component: Component
  /** Has a `log_level`. */
  readonly schema: S
  /** Throws what settings that are right one by one do wrong together. */
  check?(config: z.output<S>): void
  /** Resolves when stopped by `signal`; throws what the user must know. */
  run(config: z.output<S>, deps: { log: Logger; signal: AbortSignal }): Promise<void>
}

/**
 * The edge of a daemon's process: settings, signals, exit code. What ends it is one
 * line on stderr with a code and the next step; stack traces go to the log alone.
 * A second SIGINT or SIGTERM kills at once.
 */
export async function runDaemon<S extends z.ZodObject>(daemon: Daemon<S>): Promise<void> {
  const { component } = daemon
  let log: Logger | undefined
  const fail = (thrown: unknown) => {
    const error = WeftError.from(thrown)
    // The bare stack of a known failure says nothing; of an unknown one it is all there is.
    log?.fatal(
      error.code === 'W-5000' ? { err: thrown } : { code: error.code, error: error.message },
      'stopped by an error',
    )
    process.stderr.write(formatFatal(`weft-${component}`, error))
    process.exitCode = error.row.exit
  }
  const die = (thrown: unknown) => {
    fail(thrown)
    process.exit()
  }
  process.once('uncaughtException', die).once('unhandledRejection', die)

  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  try {
    const loaded = loadConfig(daemon.schema, { component, argv: process.argv.slice(2), env: process.env })
    daemon.check?.(loaded.config)
    if (loaded.checkOnly) {
      for (const warning of loaded.warnings) process.stderr.write(`weft-${component}: warning: ${warning}\n`)
      process.stdout.write(formatSettings(loaded))
      return
    }
    log = createLogger(component, (loaded.config as { log_level: (typeof logLevels)[number] }).log_level)
    for (const warning of loaded.warnings) log.warn({ warning }, 'unknown variable')
    await daemon.run(loaded.config, { log, signal: stop.signal })
  } catch (err) {
    if (err instanceof CommanderError && err.exitCode === 0) return // help or version is printed
    fail(err)
  }
  endSoon(log)
}

function formatSettings({ config, sources }: LoadedConfig<z.ZodObject>): string {
  const width = Math.max(...Object.keys(sources).map((key) => key.length))
  const lines = Object.entries(sources).map(
    ([key, source]) => `${key.padEnd(width)}  ${JSON.stringify(config[key])}  (${source})\n`,
  )
  return `${lines.join('')}The settings are right.\n`
}

// A process ends by running empty. If something still holds it, that is a defect to log, not a reason to hang.
function endSoon(log: Logger | undefined): void {
  setTimeout(() => {
    log?.warn({ open: process.getActiveResourcesInfo() }, 'still open after stop')
    process.exit()
  }, 3000).unref()
}

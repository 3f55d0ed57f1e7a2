/** What a command may touch of its process: nothing global, so a test passes its own. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv
  /** Data. */
  readonly stdout: { write(data: string | Uint8Array): unknown }
  /** Talk. */
  readonly stderr: { write(text: string): unknown }
  readStdin(): Promise<string>
  /** Aborts at SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal
}

export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name', 'minimal'] as const
export type OutputFormat = (typeof outputFormats)[number]

/** Flags that every command has. */
export interface GlobalFlags {
  readonly server?: string
  readonly output: OutputFormat
  /** Where `output` is from: a wish for all commands may be one that this command cannot fulfil. */
  readonly outputFrom?: string | undefined
  /** As given, `30s`. */
  readonly timeout: string
}

/** Exit codes of `weft`; the error catalogue maps every failure onto them. */
export const exitCodes = {
  done: 0,
  no: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  conflict: 5,
  timedOut: 6,
  notAble: 7,
  interrupted: 130,
} as const

import { spawn } from 'node:child_process'
import { WeftError } from '../common/errors.js'
import { namespacePath } from './names.js'

export interface CommandResult {
  /** 128 and the signal's number when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** Network namespace to run in; the caller's own unless given. */
  readonly namespace?: string | undefined
  readonly input?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * The command line that runs `argv` in a namespace. Not `ip netns exec`: that
 * mounts a fresh /sys, which hides bpffs from what it starts.
 */
export function inNamespace(namespace: string | undefined, argv: readonly string[]): string[] {
  if (namespace === undefined) return [...argv]
  return ['nsenter', `--net=${namespacePath(namespace)}`, '--', ...argv]
}

/** Runs a program and waits for it. Any exit code is an answer; a program that is missing is W-2007. */
export async function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = inNamespace(options.namespace, argv)
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', signal: options.signal })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', (err) => reject(startFailure(program, err)))
    child.once('close', (code) => resolve({ code: code ?? 128, stdout, stderr }))
    // A program that ends without reading its input is judged by its exit code.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

/** As {@link run}, but any exit code other than 0 is W-4005 with what the program said. */
export async function must(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options)
  if (code === 0) return stdout
  const where = options.namespace ? ` in namespace ${options.namespace}` : ''
  const said = stderr.trim().split('\n').slice(0, 3).join('; ')
  throw new WeftError('W-4005', `${argv.slice(0, 4).join(' ')}${where} failed: ${said || `exit ${code}`}`, {
    details: { argv, code, stderr },
  })
}

function startFailure(program: string, err: Error): Error {
  if ((err as NodeJS.ErrnoException).code !== 'ENOENT') return err
  return new WeftError('W-2007', `${program} is not installed`, { cause: err, next: 'scripts/setup' })
}

/** Runs `work` on each item, at most `limit` at once; the first failure ends it. */
export async function eachLimited<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items]
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
}

import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './program.js'

export interface CannedAnswer {
  readonly status?: number
  readonly body: unknown
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A controller that answers with what it was given, on a unix socket: tests of the CLI run against it. */
export class CannedController implements AsyncDisposable {
  readonly requests: { method: string; url: string; body: string }[] = []
  private readonly directory = mkdtempSync(join(tmpdir(), 'wt-cli-'))
  readonly socket = join(this.directory, 'http.sock')
  private readonly server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = request.url ?? ''
    this.requests.push({ method: request.method ?? '', url, body: Buffer.concat(chunks).toString() })
    const answer = this.answers[`${request.method} ${url.split('?')[0]}`]
    if (answer === 'silence') return
    const { status = 200, body } = answer ?? {
      status: 404,
      body: { code: 'W-3007', detail: `there is no ${url}` },
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })

  private constructor(private readonly answers: Readonly<Record<string, CannedAnswer | 'silence'>>) {}

  /** @param answers by method and path, as `GET /api/v1/status`. */
  static async start(answers: Readonly<Record<string, CannedAnswer | 'silence'>>): Promise<CannedController> {
    const controller = new CannedController(answers)
    await new Promise<void>((resolve) => controller.server.listen(controller.socket, resolve))
    return controller
  }

  weft(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return runCli(['--server', this.socket, ...argv], options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
    rmSync(this.directory, { recursive: true })
  }
}

export interface RunOptions {
  readonly stdin?: string
  readonly signal?: AbortSignal
}

/** Runs the CLI in this process and collects what it prints. */
export async function runCli(
  argv: readonly string[],
  { stdin = '', signal }: RunOptions = {},
): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const code = await run(argv, {
    env: {},
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    readStdin: async () => stdin,
    signal: signal ?? new AbortController().signal,
  })
  return { code, stdout, stderr }
}

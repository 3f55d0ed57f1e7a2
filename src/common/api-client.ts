import http from 'node:http'
import { createInterface } from 'node:readline'
import type { List, ListName } from '../api/list.js'
import type { ProblemDetails } from '../api/problem.js'
import { type ErrorCode, errorCatalogue, WeftError } from './errors.js'
import { formatListenAddress, type ListenAddress } from './listen-address.js'

export interface ServerAddress {
  readonly address: ListenAddress
  /** Why this one, for the error when nobody answers. */
  readonly reason: string
  /** Running labs, when there were too many to choose one. */
  readonly labs: readonly string[]
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds until a silent controller counts as unreachable. */
  readonly timeoutMs?: number
}

/** The controller's HTTP API over a unix socket or TCP. */
export class ApiClient {
  constructor(
    private readonly server: ServerAddress,
    private readonly signal: AbortSignal,
    private readonly timeoutMs: number,
  ) {}

  /**
   * Sends one request and reads the JSON answer.
   *
   * @throws WeftError W-3009 when nobody answers; else the code of the controller's problem,
   * with the whole problem in `details`.
   */
  async request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const { status, text } = await this.exchange(method, path + queryString(options.query), options)
    if (status >= 200 && status < 300) return parseJson(text, this.where) as T
    throw problemError(status, text, this.where)
  }

  /** All items of a list, page by page. */
  async list<T>(
    name: ListName,
    query: RequestOptions['query'] = {},
    limit = Number.POSITIVE_INFINITY,
  ): Promise<List<T>> {
    const items: T[] = []
    let cursor: string | undefined
    for (;;) {
      const ask = Math.min(limit - items.length, 10_000)
      const part = await this.request<List<T>>('GET', `/api/v1/${name}`, {
        query: { ...query, limit: ask, cursor },
      })
      items.push(...part.items)
      cursor = part.next_cursor ?? undefined
      if (cursor === undefined || items.length >= limit) {
        const silent = part.silent ? { silent: part.silent } : {}
        return { revision: part.revision, items, next_cursor: part.next_cursor, ...silent }
      }
    }
  }

  /**
   * Sends a request whose answer is a line of JSON after another, for as long as
   * it comes. Ends without an error when the signal aborts.
   *
   * @throws WeftError as `request`
   */
  async *lines<T>(path: string, options: RequestOptions = {}): AsyncGenerator<T, void, void> {
    let response: http.IncomingMessage | undefined
    try {
      response = await this.open('GET', path + queryString(options.query), options)
      const status = response.statusCode ?? 0
      if (status < 200 || status >= 300) throw problemError(status, await textOf(response), this.where)
      for await (const line of createInterface({ input: response })) yield parseJson(line, this.where) as T
    } catch (err) {
      if (!this.signal.aborted) throw err instanceof WeftError ? err : this.unreachable(err as Error)
    } finally {
      response?.destroy() // the reader may have enough
    }
  }

  get where(): string {
    return formatListenAddress(this.server.address)
  }

  private async exchange(
    method: string,
    path: string,
    options: RequestOptions,
  ): Promise<{ status: number; text: string }> {
    const response = await this.open(method, path, options)
    try {
      return { status: response.statusCode ?? 0, text: await textOf(response) }
    } catch (err) {
      throw this.unreachable(err as Error)
    }
  }

  private open(method: string, path: string, options: RequestOptions): Promise<http.IncomingMessage> {
    const { address } = this.server
    const target =
      address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port }
    const timeout = options.timeoutMs ?? this.timeoutMs
    return new Promise((resolve, reject) => {
      const request = http.request(
        { ...target, method, path, timeout, signal: this.signal, headers: requestHeaders(options) },
        resolve,
      )
      request
        .on('timeout', () => request.destroy(new Error(`no answer within ${timeout / 1000} s`)))
        .on('error', (err) => reject(this.unreachable(err)))
        .end(options.body)
    })
  }

  private unreachable(err: NodeJS.ErrnoException): Error {
    if (this.signal.aborted) return err
    const { reason, labs } = this.server
    const next =
      labs.length > 1
        ? `weft --server /run/weft/lab/${labs[0]}/http.sock … (running labs: ${labs.join(', ')})`
        : undefined
    return new WeftError(
      'W-3009',
      `the controller at ${this.where} (${reason}) does not answer: ${whyNot(err)}`,
      { next: next ?? 'start weft-controller or a lab, or give --server', cause: err },
    )
  }
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function requestHeaders({ body, headers }: RequestOptions): Record<string, string | number> {
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
  const type = body === undefined ? {} : { 'content-type': 'application/yaml' }
  return {
    host: 'localhost',
    accept: 'application/json, application/problem+json',
    ...type,
    ...length,
    ...headers,
  }
}

function queryString(query: RequestOptions['query'] = {}): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of typeof value === 'object' ? value : [value]) params.append(key, String(one))
  }
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such socket',
  ECONNREFUSED: 'connection refused',
  EACCES: 'permission denied',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'no such host',
  EHOSTUNREACH: 'no route to host',
  ETIMEDOUT: 'connection timed out',
}

function whyNot(err: NodeJS.ErrnoException): string {
  return reasons[err.code ?? ''] ?? err.message
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (err) {
    throw new WeftError('W-3010', `${where} does not speak Weft's API: its answer is not JSON`, {
      cause: err,
    })
  }
}

function problemError(status: number, text: string, where: string): WeftError {
  let problem: Partial<ProblemDetails> = {}
  try {
    problem = JSON.parse(text)
  } catch {
    // a proxy's page, or another server
  }
  const { code, detail, next } = problem
  if (code === undefined || !(code in errorCatalogue)) {
    return new WeftError(
      'W-3010',
      `${where} answered ${status}${detail ? `: ${detail}` : ', not as a Weft controller does'}`,
    )
  }
  return new WeftError(code as ErrorCode, detail ?? '', { ...(next ? { next } : {}), details: { problem } })
}

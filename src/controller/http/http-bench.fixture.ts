import { readFileSync } from 'node:fs'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import type { NodeStatus } from '../control.js'
import { MemoryControl } from './memory-control.fixture.js'
import { buildHttp } from './server.js'

const topology = (name: string) =>
  readFileSync(new URL(`../../../topologies/${name}.yaml`, import.meta.url), 'utf8')

export const bridge = topology('bridge-unicast')
export const quickstart = topology('quickstart')

/** The HTTP API over a control plane in memory, for tests. */
export class HttpBench implements AsyncDisposable {
  private constructor(
    readonly control: MemoryControl,
    readonly app: FastifyInstance,
    private readonly stop: AbortController,
  ) {}

  static async start(): Promise<HttpBench> {
    const control = new MemoryControl()
    const stop = new AbortController()
    const log = pino({ level: 'silent' })
    return new HttpBench(
      control,
      await buildHttp(control, { log, insecure: false, signal: stop.signal }),
      stop,
    )
  }

  get(url: string, headers = {}): Promise<LightMyRequestResponse> {
    return this.app.inject({ method: 'GET', url, headers })
  }

  put(name: string, text: string, query = '', headers = {}): Promise<LightMyRequestResponse> {
    return this.app.inject({
      method: 'PUT',
      url: `/api/v1/topologies/${name}${query}`,
      payload: text,
      headers: { 'content-type': 'application/yaml', ...headers },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort()
    await this.app.close()
  }
}

/** A node that is well, but for `more`. */
export function host(name: string, more: Partial<NodeStatus> = {}): NodeStatus {
  return {
    name,
    declared: true,
    spec: {
      name,
      underlay: { dev: 'eth0', address: `172.16.1.10${name.at(-1)}`, prefix_length: 24, port: 4789 },
    },
    connected: true,
    sent_revision: 2n,
    applied_revision: 2n,
    failures: [],
    last_heard_at: '2026-11-21T02:41:08.000Z',
    version: '0.1.0',
    abi: 'a'.repeat(64),
    ...more,
  }
}

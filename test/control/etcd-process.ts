import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Etcd3 } from 'etcd3'

const ETCD = 'etcd'

/** A real etcd of one member, on loopback, with a data directory of its own. */
export class EtcdProcess {
  private child: ChildProcess | undefined
  private readonly directory = mkdtempSync(join(tmpdir(), 'weft-control-etcd-'))

  private constructor(
    readonly clientPort: number,
    private readonly peerPort: number,
  ) {}

  static async start(): Promise<EtcdProcess> {
    const etcd = new EtcdProcess(await freePort(), await freePort())
    await etcd.run()
    return etcd
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.clientPort}`
  }

  /** Starts it again on what it had written. */
  async run(): Promise<void> {
    const client = this.endpoint
    const peer = `http://127.0.0.1:${this.peerPort}`
    const flags = [
      '--name=test',
      `--data-dir=${this.directory}`,
      '--log-level=error',
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=test=${peer}`,
    ]
    this.child = spawn(ETCD, flags, { stdio: 'ignore' })
    await this.untilHealthy()
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  /** Loses all that was written; for an etcd that does not run. */
  async wipe(): Promise<void> {
    rmSync(this.directory, { recursive: true, force: true })
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async use<T>(run: (client: Etcd3) => Promise<T>): Promise<T> {
    const client = new Etcd3({ hosts: this.endpoint })
    try {
      return await run(client)
    } finally {
      client.close()
    }
  }

  /** Deletes every key. */
  async clear(): Promise<void> {
    await this.use(async (client) => {
      await client.delete().all()
    })
  }

  /** Forgets all history up to now, physically. */
  async compact(): Promise<void> {
    await this.use(async (client) => {
      const { header } = await client.kv.range({ key: Buffer.from('x') })
      await client.kv.compact({ revision: header.revision, physical: true })
    })
  }

  private async untilHealthy(): Promise<void> {
    for (;;) {
      if (this.child?.exitCode !== null) throw new Error('etcd ended at its start')
      try {
        await this.use((client) => client.get('x').string())
        return
      } catch {
        await sleep(50)
      }
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

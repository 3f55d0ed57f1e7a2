import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy whose connections can be cut, at once or after so many bytes. */
export class CuttingProxy {
  private readonly sockets = new Set<Socket>()
  private bytesLeft = Number.POSITIVE_INFINITY
  private refusing = false
  cuts = 0

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (client) => this.join(client))
  }

  static async start(target: number): Promise<CuttingProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new CuttingProxy(server, target)
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`
  }

  /** Cuts everything when the target has sent `bytes` more. */
  cutAfter(bytes: number): void {
    this.bytesLeft = bytes
  }

  cut(): void {
    this.cuts++
    this.bytesLeft = Number.POSITIVE_INFINITY
    for (const socket of this.sockets) socket.destroy()
  }

  /** Cuts, and takes no connection until told otherwise. */
  refuse(refusing: boolean): void {
    this.refusing = refusing
    if (refusing) this.cut()
  }

  async stop(): Promise<void> {
    this.server.close()
    this.refuse(true)
    await once(this.server, 'close')
  }

  private join(client: Socket): void {
    if (this.refusing) {
      client.destroy()
      return
    }
    const target = connect(this.target, '127.0.0.1')
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        this.sockets.delete(one)
        other.destroy()
      })
    }
    client.pipe(target)
    target.on('data', (bytes) => {
      this.bytesLeft -= bytes.length
      if (this.bytesLeft <= 0) this.cut()
      else if (!client.write(bytes)) {
        target.pause()
        client.once('drain', () => target.resume())
      }
    })
  }
}

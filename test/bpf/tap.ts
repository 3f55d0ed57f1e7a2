import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import koffi from 'koffi'

const libc = koffi.load('libc.so.6')
const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)') as (
  fd: number,
  request: number,
  argument: Uint8Array,
) => number

const TUNSETIFF = 0x400454ca
const IFF_TUN = 1
const IFF_TAP = 2
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000

/** GSO of a frame as a guest announces it (struct virtio_net_hdr, TCP over IPv4 or IPv6). */
export interface TapGso {
  /** 0: no GSO, the frame is complete. */
  readonly segmentSize: number
  /** Of a frame over a page, the kernel leaves the rest in page fragments. */
  readonly headerLength: number
  readonly checksumStart: number
  readonly ipv6?: boolean
}

const VNET_HEADER = 10

/**
 * A tap (or tun) device in the namespace of the main thread. Writing is receiving
 * for the kernel: when `send` returns, the frame has been through tc ingress
 * and all that follows, since tun takes a frame in on the writer's stack.
 */
export class Tap implements Disposable {
  private readonly fd: number
  private readonly prefix: number

  constructor(
    readonly name: string,
    opts: { readonly kind?: 'tap' | 'tun'; readonly offload?: boolean } = {},
  ) {
    this.fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
    this.prefix = opts.offload ? VNET_HEADER : 0
    const request = new Uint8Array(40)
    request.set(new TextEncoder().encode(name))
    const flags = (opts.kind === 'tun' ? IFF_TUN : IFF_TAP) | IFF_NO_PI | (opts.offload ? IFF_VNET_HDR : 0)
    new DataView(request.buffer).setUint16(16, flags, true)
    if (ioctl(this.fd, TUNSETIFF, request) < 0) throw new Error(`TUNSETIFF ${name}: errno ${koffi.errno()}`)
  }

  send(frame: Uint8Array, gso?: TapGso): void {
    const bytes = new Uint8Array(this.prefix + frame.length)
    bytes.set(frame, this.prefix)
    if (gso) writeVnetHeader(new DataView(bytes.buffer), gso)
    writeSync(this.fd, bytes)
  }

  /** All frames that left by this device since the last call. */
  received(): Uint8Array[] {
    const frames: Uint8Array[] = []
    const buffer = new Uint8Array(70_000)
    for (;;) {
      try {
        const length = readSync(this.fd, buffer)
        frames.push(buffer.slice(this.prefix, length))
      } catch (err) {
        if ((err as NodeJS.ErrnoException).code === 'EAGAIN') return frames
        throw err
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
  }
}

function writeVnetHeader(view: DataView, gso: TapGso): void {
  view.setUint16(2, gso.headerLength, true)
  if (gso.segmentSize === 0) return
  view.setUint8(0, 1) // VIRTIO_NET_HDR_F_NEEDS_CSUM
  view.setUint8(1, gso.ipv6 ? 4 : 1) // VIRTIO_NET_HDR_GSO_TCPV4, TCPV6
  view.setUint16(4, gso.segmentSize, true)
  view.setUint16(6, gso.checksumStart, true)
  view.setUint16(8, 16, true) // where TCP has its checksum
}

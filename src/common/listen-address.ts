import { isIP } from 'node:net'
import { WeftError } from './errors.js'

/** Where a server listens or a client connects. */
export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/**
 * Reads `127.0.0.1:7780`, `[::1]:7780`, `localhost:7780`, `unix:/path` or `/path`.
 *
 * @throws WeftError W-4002 when it is none of these.
 */
export function parseListenAddress(text: string): ListenAddress {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') : text
  if (path.startsWith('/')) return { kind: 'unix', path }
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    throw new WeftError('W-4002', `"${text}" is not an address to listen on: give host:port or unix:/path`)
  }
  return { kind: 'tcp', host: (match[1] ?? match[2])!, port }
}

export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** Whether only this host can reach it: a unix socket, 127.0.0.0/8, ::1 or localhost. */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind === 'unix') return true
  const { host } = address
  if (isIP(host) === 4) return host.startsWith('127.')
  return host === '::1' || host === 'localhost'
}

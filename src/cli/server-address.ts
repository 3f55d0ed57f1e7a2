import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerAddress } from '../common/api-client.js'
import { WeftError } from '../common/errors.js'
import { type ListenAddress, parseListenAddress } from '../common/listen-address.js'

export interface ServerPlaces {
  readonly labs: string
  readonly socket: string
  readonly url: string
}

const usualPlaces: ServerPlaces = {
  labs: '/run/weft/lab',
  socket: '/run/weft/controller.sock',
  url: 'http://127.0.0.1:7780',
}

/**
 * Which controller a command talks to: `--server` or WEFT_SERVER, else the only
 * running lab, else the socket of this host's controller, else its TCP port.
 *
 * @throws WeftError W-4001 when `given` is no address.
 */
export function resolveServer(given: string | undefined, places: ServerPlaces = usualPlaces): ServerAddress {
  if (given) return { address: parseServer(given), reason: `given as ${given}`, labs: [] }
  const labs = runningLabs(places.labs)
  if (labs.length === 1) {
    const { name, server } = labs[0]!
    return { address: parseServer(server), reason: `of the running lab ${name}`, labs: [] }
  }
  const names = labs.map(({ name }) => name)
  if (existsSync(places.socket)) {
    return { address: { kind: 'unix', path: places.socket }, reason: "this host's controller", labs: names }
  }
  return { address: parseServer(places.url), reason: 'the default', labs: names }
}

/** Reads a unix path, `unix:/path`, `host:port` or `http://host:port`. */
export function parseServer(text: string): ListenAddress {
  const url = /^http:\/\/([^/]+)\/?$/.exec(text)
  const address = url ? withPort(url[1]!) : text
  try {
    return parseListenAddress(address)
  } catch (err) {
    throw new WeftError('W-4001', `--server ${text}: give a unix path, host:port or http://host:port`, {
      cause: err,
    })
  }
}

function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:80`
}

function runningLabs(directory: string): { name: string; server: string }[] {
  return names(directory).flatMap((name) => {
    const state = readState(join(directory, name, 'lab.json'))
    const { socket, url } = state?.http ?? {}
    if (socket && existsSync(socket)) return [{ name, server: socket }]
    return url && !socket ? [{ name, server: url }] : []
  })
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    return [] // no lab ever ran here, or it is not ours to see
  }
}

function readState(path: string): { http?: { url?: string; socket?: string } } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // being written or taken down: not running
  }
}

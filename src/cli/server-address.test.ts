import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseServer, resolveServer } from './server-address.js'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wt-server-'))
  mkdirSync(join(root, 'lab'))
})
afterEach(() => rmSync(root, { recursive: true }))

const places = () => ({
  labs: join(root, 'lab'),
  socket: join(root, 'controller.sock'),
  url: 'http://127.0.0.1:7780',
})

function lab(name: string, { running = true } = {}): string {
  const socket = join(root, 'lab', name, 'http.sock')
  mkdirSync(join(root, 'lab', name))
  writeFileSync(
    join(root, 'lab', name, 'lab.json'),
    JSON.stringify({ name, http: { url: 'http://127.0.0.1:7781', socket } }),
  )
  if (running) writeFileSync(socket, '')
  return socket
}

describe('resolveServer', () => {
  it('takes what was given before all else', () => {
    lab('demo')
    expect(resolveServer('10.0.0.1:80', places()).address).toEqual({
      kind: 'tcp',
      host: '10.0.0.1',
      port: 80,
    })
  })

  it('takes the only running lab before the controller of the host', () => {
    writeFileSync(places().socket, '')
    const socket = lab('demo')
    expect(resolveServer(undefined, places())).toMatchObject({
      address: { kind: 'unix', path: socket },
      reason: 'of the running lab demo',
    })
  })

  it('passes over a lab that is not running', () => {
    lab('dead', { running: false })
    const socket = lab('demo')
    expect(resolveServer(undefined, places()).address).toEqual({ kind: 'unix', path: socket })
  })

  it('takes the socket of the host when two labs run, and remembers their names', () => {
    lab('one')
    lab('two')
    writeFileSync(places().socket, '')
    expect(resolveServer(undefined, places())).toMatchObject({
      address: { path: places().socket },
      labs: ['one', 'two'],
    })
  })

  it('falls back on the TCP port', () => {
    expect(resolveServer(undefined, places()).address).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 7780 })
  })

  it('does not trip over a lab that is being taken down', () => {
    mkdirSync(join(root, 'lab', 'half'))
    writeFileSync(join(root, 'lab', 'half', 'lab.json'), '{"na')
    expect(resolveServer(undefined, places()).reason).toBe('the default')
  })
})

describe('parseServer', () => {
  it.each([
    ['/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['unix:/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['localhost:1234', { kind: 'tcp', host: 'localhost', port: 1234 }],
    ['http://ctl.example', { kind: 'tcp', host: 'ctl.example', port: 80 }],
    ['http://[::1]:7780/', { kind: 'tcp', host: '::1', port: 7780 }],
  ])('reads %s', (text, address) => {
    expect(parseServer(text)).toEqual(address)
  })

  it.each(['https://x', 'x', 'x:99999', ''])('refuses %j', (text) => {
    expect(() => parseServer(text)).toThrow(/give a unix path/)
  })
})

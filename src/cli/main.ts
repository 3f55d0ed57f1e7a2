#!/usr/bin/env node
import { text } from 'node:stream/consumers'
import { run } from './program.js'

// Reading on at the other end of a pipe may stop early, as with `| head`.
process.stdout.on('error', (err: NodeJS.ErrnoException) => {
  if (err.code !== 'EPIPE') throw err
  process.exit()
})

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  readStdin: () => text(process.stdin),
  signal: interrupted.signal,
})

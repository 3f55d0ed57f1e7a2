#!/usr/bin/env node
import { addAbortSignal } from 'node:stream'
import { text } from 'node:stream/consumers'
import { catchTermination } from '../common/termination.js'
import { exitCodes } from './context.js'
import { run } from './program.js'

const { signal, exitCode } = catchTermination()
const code = await run(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  readStdin: () => text(addAbortSignal(signal, process.stdin)),
  signal,
})
process.exitCode = code === exitCodes.interrupted ? (exitCode() ?? code) : code

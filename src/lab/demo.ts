import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WeftError } from '../common/errors.js'
import { formatFatal } from '../common/fatal-line.js'
import { catchTermination } from '../common/termination.js'
import { formatOutcome, runCheck } from './checks/check.js'
import { type Deployed, deployLab } from './deploy.js'
import { destroyLab, formatRemoved } from './destroy.js'
import { requirePrivileges } from './privileges.js'
import { removeStaleLab } from './stale-lab.js'
import { type LabSource, parseLabSource } from './topology-file.js'

/*
 * npm run demo [-- --once]: brings up a small lab, shows what it forwards,
 * runs its checks, and takes it down again at Ctrl-C; with --once right away.
 * Exit 0 only if every check passed.
 *
 * The lab has a name of its own, not the file's: a lab that the user deployed
 * from the same file goes on.
 */
const lab = 'demo'
const topologyFile = fileURLToPath(new URL('../../topologies/quickstart.yaml', import.meta.url))
const cliPath = fileURLToPath(new URL('../cli/main.js', import.meta.url))

/** Nodes report what they counted once a second; the tables below should show the checks' traffic. */
const REPORT_MS = 1500

const write = (text: string) => void process.stdout.write(text)

async function main(signal: AbortSignal): Promise<void> {
  const onlyOnce = readArguments()
  const source = parseLabSource(topologyFile, await readFile(topologyFile, 'utf8'), lab)
  await requirePrivileges()
  const stale = await removeStaleLab(lab, topologyFile)
  if (stale) write(`lab ${lab} of an earlier run: ${formatRemoved(stale)}\n`)
  const isTerminal = process.stdout.isTTY === true
  const deployed = await deployLab({ source, signal, write, isTerminal })
  try {
    const passed = await show(source, deployed, signal)
    process.exitCode = passed ? 0 : 1
    if (!onlyOnce) await stay(deployed, signal)
  } finally {
    write(`\nlab ${lab}: ${formatRemoved(await destroyLab(lab))}\n`)
  }
}

function readArguments(): boolean {
  const rest = process.argv.slice(2)
  const unknown = rest.find((argument) => argument !== '--once')
  if (unknown !== undefined)
    throw new WeftError('W-4001', `unknown argument ${unknown}`, { next: 'npm run demo [-- --once]' })
  return rest.includes('--once')
}

/** Runs the checks, then prints what the running system says of itself. Whether all checks passed. */
async function show(
  { lab: { checks } }: LabSource,
  { record }: Deployed,
  signal: AbortSignal,
): Promise<boolean> {
  write('\n')
  const width = Math.max(0, ...checks.map(({ name }) => name.length))
  let failed = 0
  for (const check of checks) {
    const outcome = await runCheck(check, record, signal)
    if (!outcome.ok) failed += 1
    write(formatOutcome(outcome, width))
  }
  write(`${checks.length - failed} passed, ${failed} failed\n`)
  await sleep(REPORT_MS, undefined, { signal })
  for (const what of ['nodes', 'macs', 'tunnels']) printTable(record.http.socket, what)
  return failed === 0
}

/** The same command that a user would type, and its own output. */
function printTable(server: string, what: string): void {
  write(`\n$ npx weft get ${what}\n`)
  const { stdout, stderr } = spawnSync(process.execPath, [cliPath, '--server', server, 'get', what], {
    encoding: 'utf8',
  })
  write(stdout || stderr)
}

async function stay({ record }: Deployed, signal: AbortSignal): Promise<void> {
  const [first, second] = record.endpoints
  write(
    `\nThe lab stays until Ctrl-C. Its API: ${record.http.url}/api/v1/tunnels. Meanwhile, in another shell:\n`,
  )
  if (first && second) {
    const address = second.addresses[0]?.split('/')[0]
    write(`  npx weft lab exec ${lab}/${first.name} -- ping -c 3 ${address}\n`)
  }
  write('  npx weft status\n')
  // The daemons are processes of their own: something here must hold this one open.
  const hold = setInterval(() => {}, 60_000)
  if (!signal.aborted) await once(signal, 'abort')
  clearInterval(hold)
}

const { signal, exitCode } = catchTermination()
try {
  await main(signal)
} catch (thrown) {
  const error = WeftError.from(thrown)
  if (!signal.aborted) process.stderr.write(formatFatal('demo', error))
  process.exitCode = exitCode() ?? error.row.exit
}

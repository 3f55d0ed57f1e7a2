import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Command } from 'commander'
import { WeftError } from '../common/errors.js'
import { formatOutcome, runCheck } from '../lab/checks/check.js'
import { inNamespace } from '../lab/command.js'
import { deployLab, Interrupted } from '../lab/deploy.js'
import { destroyLab, findLabs, formatRemoved } from '../lab/destroy.js'
import { announce, moveEndpoint } from '../lab/move.js'
import { labDirectory } from '../lab/names.js'
import { requirePrivileges } from '../lab/privileges.js'
import { isRunning, readProcesses } from '../lab/process.js'
import { type LabRecord, readRecord } from '../lab/record.js'
import { readDeployedFile } from '../lab/topology-file.js'
import { formatProblems, loadTopology } from '../topology/index.js'
import { type CliContext, exitCodes, type GlobalFlags } from './context.js'
import { renderTable, renderValue } from './output.js'
import { readInput } from './session.js'

/** `weft lab …`: a topology on network namespaces of this machine. */
export function registerLab(program: Command, ctx: CliContext, finish: (code: number) => void): void {
  const lab = program
    .command('lab')
    .description('try a topology in network namespaces on this machine')
    .enablePositionalOptions() // for exec
  const flags = () => program.optsWithGlobals<GlobalFlags>()
  const act = (work: Promise<number>) => work.then(finish)

  lab
    .command('deploy')
    .description('build the lab of a file, apply the file, wait until every node has programmed it')
    .requiredOption('-f, --file <file>', 'topology with a lab section')
    .option('--check', 'run its checks; exit 1 if one fails')
    .option('--keep', 'leave what there is when a step fails')
    .action((options: { file: string; check?: boolean; keep?: boolean }) => act(deploy(ctx, options)))
  lab
    .command('destroy')
    .description('remove a lab, whatever state it is in; the file is not needed')
    .argument('[name]', 'needed when there are several')
    .option('--all', 'every lab of this machine')
    .action((name: string | undefined, options: { all?: boolean }) => act(destroy(ctx, name, options)))
  lab
    .command('list')
    .description('labs of this machine')
    .action(() => act(list(ctx, flags())))
  lab
    .command('inspect')
    .description('hosts, endpoints, addresses and processes of a lab')
    .argument('[name]', 'needed when there are several')
    .action((name: string | undefined) => act(inspect(ctx, flags(), name)))
  lab
    .command('exec')
    .description('run a command on a host or an endpoint')
    .argument('<member>', 'HOST or ENDPOINT, or LAB/HOST')
    .argument('<command...>', 'after --')
    .passThroughOptions()
    .action((member: string, argv: string[]) => act(exec(member, argv)))
  lab
    .command('move')
    .description('move an endpoint to another host; its namespace, MAC and addresses stay')
    .argument('<endpoint>', 'ENDPOINT, or LAB/ENDPOINT')
    .argument('<host>', 'where a port of its network is free')
    .option('--quiet', 'send no gratuitous ARP and no unsolicited neighbour advertisement')
    .action((endpoint: string, host: string, options: { quiet?: boolean }) =>
      act(move(ctx, endpoint, host, options.quiet === true)),
    )
  lab
    .command('checks')
    .description('run the checks of a lab once more')
    .argument('[name]', 'needed when there are several')
    .action((name: string | undefined) => act(checks(ctx, flags(), name)))
}

async function deploy(
  ctx: CliContext,
  { file, check, keep }: { file: string; check?: boolean; keep?: boolean },
): Promise<number> {
  const text = await readInput(ctx, file)
  const { desired, lab, problems } = loadTopology(text, { lab: true })
  if (problems.length > 0 || !desired || !lab) {
    ctx.stderr.write(formatProblems(file, text, [...problems]))
    return exitCodes.usage
  }
  try {
    const { record, checks } = await deployLab({
      source: { file, text, desired, lab },
      check: check === true,
      keep: keep === true,
      signal: ctx.signal,
      write: (line) => ctx.stdout.write(line),
      isTerminal: process.stdout.isTTY === true,
    })
    ctx.stdout.write(
      `open ${record.http.url}/api/v1/status     npx weft status     npx weft lab destroy ${record.name}\n`,
    )
    return checks.every(({ ok }) => ok) ? exitCodes.done : exitCodes.no
  } catch (err) {
    if (err instanceof Interrupted) return exitCodes.interrupted
    throw err
  }
}

async function destroy(
  ctx: CliContext,
  name: string | undefined,
  { all }: { all?: boolean },
): Promise<number> {
  await requirePrivileges()
  const labs = all ? await findLabs() : [await chooseLab(name)]
  for (const lab of labs) ctx.stdout.write(`lab ${lab}: ${formatRemoved(await destroyLab(lab))}\n`)
  if (labs.length === 0) ctx.stderr.write('no lab is on this machine\n')
  return exitCodes.done
}

async function list(ctx: CliContext, { output }: GlobalFlags): Promise<number> {
  const labs = await Promise.all(
    (await findLabs()).map(async (name) => {
      const record = await readRecord(name)
      const processes = await readProcesses(name)
      const running = processes.filter(isRunning).length
      return {
        name,
        state: record?.state ?? 'remains',
        hosts: record?.hosts.length ?? 0,
        endpoints: record?.endpoints.length ?? 0,
        processes_running: running,
        processes: processes.length,
        url: record?.http.url ?? null,
        file: record?.file ?? null,
      }
    }),
  )
  if (output === 'json' || output === 'yaml') ctx.stdout.write(renderValue({ items: labs }, output))
  else if (labs.length === 0) ctx.stderr.write('no lab is on this machine\n')
  else {
    const rows = labs.map((lab) => [
      lab.name,
      lab.state,
      String(lab.hosts),
      String(lab.endpoints),
      `${lab.processes_running}/${lab.processes}`,
      lab.url ?? '-',
    ])
    ctx.stdout.write(renderTable([['LAB', 'STATE', 'HOSTS', 'ENDPOINTS', 'PROCESSES', 'SERVER'], ...rows]))
  }
  return exitCodes.done
}

async function inspect(ctx: CliContext, { output }: GlobalFlags, name: string | undefined): Promise<number> {
  const record = await recordOf(await chooseLab(name))
  const processes = (await readProcesses(record.name)).map((one) => ({ ...one, running: isRunning(one) }))
  if (output === 'json' || output === 'yaml') {
    ctx.stdout.write(renderValue({ ...record, processes }, output))
    return exitCodes.done
  }
  ctx.stdout.write(`lab ${record.name}, ${record.state}, from ${record.file}, server ${record.http.url}\n\n`)
  const endpoints = record.endpoints.map(({ name, node, interface: port, network, mac, addresses, mtu }) => [
    name,
    `${node}/${port}`,
    network,
    mac,
    addresses.join(', '),
    String(mtu),
  ])
  ctx.stdout.write(renderTable([['ENDPOINT', 'PORT', 'NETWORK', 'MAC', 'ADDRESSES', 'MTU'], ...endpoints]))
  const rows = processes.map(({ name, pid, running }) => [name, String(pid), running ? 'running' : 'ended'])
  ctx.stdout.write(`\n${renderTable([['PROCESS', 'PID', 'STATE'], ...rows])}`)
  ctx.stdout.write(`\nlogs, sockets and pins are in ${labDirectory(record.name)}\n`)
  return exitCodes.done
}

/** `MEMBER`, or `LAB/MEMBER` where there are several labs. */
async function memberOf(written: string): Promise<{ record: LabRecord; wanted: string }> {
  const [first = '', second] = written.split('/')
  const record = await recordOf(await chooseLab(second === undefined ? undefined : first))
  return { record, wanted: second ?? first }
}

async function move(ctx: CliContext, written: string, host: string, quiet: boolean): Promise<number> {
  await requirePrivileges()
  const { record, wanted } = await memberOf(written)
  const moved = await moveEndpoint(record.name, wanted, host)
  if (!quiet) await announce(moved, ctx.signal)
  ctx.stdout.write(`${wanted} is at ${moved.node}/${moved.interface}\n`)
  return exitCodes.done
}

async function exec(member: string, argv: readonly string[]): Promise<number> {
  const { record, wanted } = await memberOf(member)
  const found = [...record.hosts, ...record.endpoints].find(({ name }) => name === wanted)
  if (!found)
    throw new WeftError('W-4004', `lab ${record.name} has no host or endpoint ${wanted}`, {
      next: `weft lab inspect ${record.name}`,
    })
  const [program = '', ...args] = inNamespace(found.namespace, argv)
  return new Promise((resolve, reject) => {
    // Ctrl-C reaches the child too, from the terminal; the child decides what that means.
    const child = spawn(program, args, { stdio: 'inherit' })
    child.once('error', reject)
    // These come to one process; the child is to know too.
    for (const name of ['SIGTERM', 'SIGHUP'] as const) process.once(name, () => child.kill(name))
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

async function checks(ctx: CliContext, { output }: GlobalFlags, name: string | undefined): Promise<number> {
  const record = await recordOf(await chooseLab(name))
  const { lab } = await readDeployedFile(record.name)
  const width = Math.max(0, ...lab.checks.map((check) => check.name.length))
  const outcomes = []
  for (const check of lab.checks) {
    const outcome = await runCheck(check, record, ctx.signal)
    outcomes.push(outcome)
    if (output !== 'json' && output !== 'yaml') ctx.stdout.write(formatOutcome(outcome, width))
  }
  const passed = outcomes.filter(({ ok }) => ok).length
  if (output === 'json' || output === 'yaml') ctx.stdout.write(renderValue({ items: outcomes }, output))
  else ctx.stdout.write(`${passed} passed, ${outcomes.length - passed} failed\n`)
  return passed === outcomes.length ? exitCodes.done : exitCodes.no
}

async function chooseLab(name: string | undefined): Promise<string> {
  const labs = await findLabs()
  if (name !== undefined) {
    if (labs.includes(name)) return name
    throw new WeftError('W-4004', `there is no lab ${name} on this machine`, { next: 'weft lab list' })
  }
  if (labs.length === 1) return labs[0]!
  if (labs.length === 0)
    throw new WeftError('W-4004', 'there is no lab on this machine', { next: 'weft lab deploy -f FILE' })
  throw new WeftError('W-4001', `there are several labs, give one: ${labs.join(', ')}`)
}

async function recordOf(lab: string): Promise<LabRecord> {
  const record = await readRecord(lab)
  if (record) return record
  throw new WeftError('W-4004', `of lab ${lab} only remains are left`, { next: `weft lab destroy ${lab}` })
}

import { Command, CommanderError, Option } from 'commander'
import { WeftError } from '../common/errors.js'
import { formatFatal } from '../common/fatal-line.js'
import { usageError } from '../common/usage-error.js'
import { version as ours } from '../common/version.js'
import type { ApplyOptions } from './commands/apply.js'
import type { CaptureOptions } from './commands/capture.js'
import type { DescribeOptions } from './commands/describe.js'
import type { GetOptions } from './commands/get.js'
import type { TraceOptions } from './commands/trace.js'
import { type CliContext, exitCodes, type GlobalFlags, outputFormats } from './context.js'
import { filterFlags } from './filter-flags.js'

type Finish = (code: number) => void

/** Runs one command line, without node and script, and returns its exit code. Never throws. */
export async function run(argv: readonly string[], ctx: CliContext): Promise<number> {
  let code: number = exitCodes.done
  const finish: Finish = (given) => {
    code = given
  }
  let path = 'weft'
  const follow = (command: Command) =>
    command.hook('preSubcommand', (_, sub) => {
      path += ` ${sub.name()}`
      follow(sub)
    })
  try {
    const program = buildProgram(ctx, finish)
    follow(program)
    await addLab(program, ctx, finish, argv)
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (err) {
    if (ctx.signal.aborted) return exitCodes.interrupted
    if (err instanceof CommanderError && err.exitCode === 0) return exitCodes.done
    if (err instanceof CommanderError && err.code === 'commander.help') return exitCodes.usage // it is printed
    const error = err instanceof CommanderError ? usageError(err, path) : WeftError.from(err)
    ctx.stderr.write(formatFatal('weft', error))
    return error.row.exit
  }
}

/** The command tree. Commands load when they run: help must not wait for YAML or tables. */
export function buildProgram(ctx: CliContext, finish: Finish): Command {
  const program = new Command('weft')
    .description('Ethernet between hosts over VXLAN, programmed from one file.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => ctx.stdout.write(text),
      writeErr: (text) => ctx.stderr.write(text),
      outputError: () => {}, // leaves as one line of ours
    })
    .configureHelp({ showGlobalOptions: true })
    .version(`weft ${ours}`, '-V, --version', 'print the version of this command')
    .helpCommand(false)
    .addOption(
      new Option('-s, --server <address>', 'controller: unix path, host:port or URL').env('WEFT_SERVER'),
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print')
        .choices(outputFormats)
        .default('table')
        .env('WEFT_OUTPUT'),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for an answer').default('30s').env('WEFT_TIMEOUT'),
    )
    .addHelpText('after', exitCodeText)
  const flags = () => ({
    ...program.opts<GlobalFlags>(),
    outputFrom: program.getOptionValueSource('output'),
  })
  const act = (work: Promise<number>) => work.then(finish)
  addFileCommands(program, ctx, flags, act)
  addReadCommands(program, ctx, flags, act)
  addFrameCommands(program, ctx, flags, act)
  return program
}

type Flags = () => GlobalFlags
type Act = (work: Promise<number>) => Promise<void>

function addFileCommands(program: Command, ctx: CliContext, flags: Flags, act: Act): void {
  program
    .command('validate')
    .description('check topology files; needs no controller')
    .argument('<files...>', '- reads standard input')
    .action((files: string[]) =>
      act(import('./commands/validate.js').then((m) => m.validate(ctx, flags(), files))),
    )
  program
    .command('apply')
    .description('check a topology file and make it the desired state')
    .requiredOption('-f, --file <file>', 'topology; - reads standard input')
    .option('--dry-run', 'print the changes, write nothing')
    .option('--wait [stage]', 'return when it is stored or programmed (the default of the flag)')
    .action((options: ApplyOptions) =>
      act(import('./commands/apply.js').then((m) => m.apply(ctx, flags(), options))),
    )
  program
    .command('diff')
    .description('what applying a file would change; exit 1 if anything')
    .requiredOption('-f, --file <file>', 'topology; - reads standard input')
    .action((options: { file: string }) =>
      act(import('./commands/diff.js').then((m) => m.diff(ctx, flags(), options))),
    )
  program
    .command('export')
    .description('the file in force, as apply takes it')
    .argument('[topology]', 'needed when there are several')
    .action((name?: string) =>
      act(import('./commands/export.js').then((m) => m.exportTopology(ctx, flags(), name))),
    )
  program
    .command('delete')
    .description('take a topology out of force')
    .argument('[kind]', 'topology')
    .argument('[name]')
    .option('-f, --file <file>', 'the topology that this file names')
    .action((kind: string | undefined, name: string | undefined, options: { file?: string }) =>
      act(import('./commands/delete.js').then((m) => m.remove(ctx, flags(), kind, name, options))),
    )
}

function addReadCommands(program: Command, ctx: CliContext, flags: Flags, act: Act): void {
  const get = program
    .command('get')
    .description('list topologies, nodes, networks, ports, macs, tunnels or drops')
    .argument('<kind>', 'also short: topo no net po fdb tun')
    .argument('[names...]')
    .option('--sort-by <field>', 'a field of -o json; -FIELD for descending')
    .option('--limit <n>', 'at most so many')
    .option('--no-headers', 'only the rows')
  const repeated = (value: string, before: string[] = []) => [...before, value]
  for (const flag of filterFlags)
    get.option(`--${flag} <value>`, `only of this ${flag}; may be repeated`, repeated)
  get.action((kind: string, names: string[], options: GetOptions) =>
    act(import('./commands/get.js').then((m) => m.get(ctx, flags(), kind, names, options))),
  )
  program
    .command('describe')
    .description('everything about one node or network; where a MAC is, and what happened to it')
    .argument('<kind>', 'node, network or mac')
    .argument('<name>')
    .option('--network <network>', 'of a mac: only in this network')
    .action((kind: string, name: string, options: DescribeOptions) =>
      act(import('./commands/describe.js').then((m) => m.describe(ctx, flags(), kind, name, options))),
    )
  program
    .command('status')
    .description('one screen about everything; exit 1 if not all is well')
    .action(() => act(import('./commands/status.js').then((m) => m.status(ctx, flags()))))
  program
    .command('explain')
    .description('what an error code means; needs no controller')
    .argument('<code>', 'as W-1104')
    .action((code: string) => act(import('./commands/explain.js').then((m) => m.explain(ctx, flags(), code))))
  program
    .command('version')
    .description('versions of this command, the controller and the nodes')
    .action(() => act(import('./commands/version.js').then((m) => m.version(ctx, flags()))))
}

function addFrameCommands(program: Command, ctx: CliContext, flags: Flags, act: Act): void {
  program
    .command('trace')
    .description('where a frame goes, by the tables and by probes; exit 1 when it is not delivered')
    .argument('<from>', 'NODE/INTERFACE, or a MAC or IP of get macs')
    .argument('<to>', 'MAC, or an IP of get macs')
    .option('--simulate', 'only by the tables')
    .option('--live', 'only by probes')
    .option('--network <name>', 'where several have the MAC or IP')
    .option('--count <n>', 'probes', '5')
    .option('--size <bytes>', 'of each probe, with its Ethernet header', '98')
    .action((from: string, to: string, options: TraceOptions) =>
      act(import('./commands/trace.js').then((m) => m.trace(ctx, flags(), from, to, options))),
    )
  program
    .command('capture')
    .description('frames at the programs of a node, with their verdicts, as pcapng')
    .argument('<node[:interface]>', 'a port shows both its directions')
    .requiredOption('-w, --write <file>', '- writes standard output')
    .option('--vni <vni>', 'only of this network')
    .option('--duration <duration>', 'at most so long', '60s')
    .option('--max-size <size>', 'of the file', '100MB')
    .option('--snaplen <bytes>', 'of each frame', '128')
    .action((target: string, options: CaptureOptions) =>
      act(import('./commands/capture.js').then((m) => m.capture(ctx, flags(), target, options))),
    )
  program
    .command('fanout')
    .description('how many copies of a broadcast each port gets; exit 1 unless one each')
    .argument('<network>')
    .option('--from <node/interface>', 'who sends it; a port with a known station unless given')
    .action((network: string, options: { from?: string }) =>
      act(import('./commands/fanout.js').then((m) => m.fanout(ctx, flags(), network, options))),
    )
}

// Its code is as large as all the others'; help needs only its name.
async function addLab(
  program: Command,
  ctx: CliContext,
  finish: Finish,
  argv: readonly string[],
): Promise<void> {
  if (!argv.includes('lab')) {
    program.command('lab').description('try a topology in network namespaces on this machine')
    return
  }
  const { registerLab } = await import('./lab.js')
  registerLab(program, ctx, finish)
}

const exitCodeText = `
Exit codes: 0 done, 1 the answer is no (differs, unhealthy, a check failed), 2 wrong usage or file,
3 controller unreachable, 4 not found, 5 conflict, as with another topology in force, 6 timed out
waiting, 7 lacks a privilege or kernel feature, 130 interrupted.`

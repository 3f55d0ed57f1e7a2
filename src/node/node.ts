import { randomUUID } from 'node:crypto'
import { backoffMs, pause } from '../common/backoff.js'
import type { Logger } from '../common/logger.js'
import { together } from '../common/together.js'
import { version } from '../common/version.js'
import type { NodeState } from '../model/segment-table.js'
import { Answering } from './answers/answering.js'
import { abiDigest, type ProbeEvent } from './bpf/abi.gen.js'
import type { NodeConfig } from './config.js'
import { detachAll } from './drivers/attach.js'
import { BridgePortDriver } from './drivers/bridge-port.js'
import { Dataplane } from './drivers/dataplane.js'
import { DeviceDriver } from './drivers/device.js'
import { makeDrivers } from './drivers/drivers.js'
import { GroupDriver } from './drivers/group.js'
import { Links } from './drivers/links.js'
import { FrameTools } from './frame-tools.js'
import { serve } from './http/server.js'
import { watchLinks } from './link-watch.js'
import { preflight } from './preflight.js'
import { sameFailures } from './reconcile/failure.js'
import { type Outcome, reconcile } from './reconcile/reconciler.js'
import { becomeSole } from './sole.js'
import { NodeStatus } from './status.js'
import { follow } from './sync/follow.js'
import { NewestInbox } from './sync/inbox.js'
import { Replica } from './sync/replica.js'
import { Uplink } from './sync/uplink.js'
import { Counters } from './telemetry/counters.js'
import { LearnedJournal } from './telemetry/learned-journal.js'
import { Learning } from './telemetry/learning.js'
import type { Reading } from './telemetry/metrics.js'

/** What all parts of one daemon share. */
interface Parts {
  readonly config: NodeConfig
  readonly log: Logger
  readonly inbox: NewestInbox<NodeState>
  readonly uplink: Uplink
  readonly status: NodeStatus
  readonly links: Links
  readonly answering: Answering
  counters: Counters | undefined
}

/**
 * Runs a node until `signal` aborts. Maps, links and the VXLAN device stay: the
 * kernel forwards on, unless `detach_on_exit` says otherwise.
 *
 * @throws WeftError that the user must know: privileges, bpffs, objects, another daemon
 */
export async function runNode(config: NodeConfig, log: Logger, signal: AbortSignal): Promise<void> {
  preflight(config.bpffs, log)
  await using _sole = await becomeSole(config.bpffs, log)
  const parts: Parts = {
    config,
    log,
    inbox: new NewestInbox(),
    uplink: new Uplink(),
    status: new NodeStatus(),
    links: new Links(),
    answering: new Answering(log),
    counters: undefined,
  }
  await together(signal, [
    (stop) => followController(parts, stop),
    (stop) =>
      serve({ node: config.node_name, listen: config.http_listen, read: () => readingOf(parts), log }, stop),
    (stop) => runDataplane(parts, stop),
  ])
}

function followController(
  { config, log, inbox, uplink, answering }: Parts,
  signal: AbortSignal,
): Promise<void> {
  const hello = { node: config.node_name, abi: abiDigest, version, instance: randomUUID() }
  const notice = (line: string) => process.stderr.write(`weft-node: ${line}\n`)
  const deps = {
    addresses: config.controller,
    hello,
    replica: new Replica(),
    inbox,
    uplink,
    answering,
    log,
    isProgrammed: () => Dataplane.isThere(config.bpffs),
    notice,
  }
  return follow(deps, signal)
}

/**
 * Nothing is made in the kernel before the first complete state, save that what
 * an earlier daemon left is read, so that its counters can be seen.
 */
async function runDataplane(parts: Parts, signal: AbortSignal): Promise<void> {
  const { config, inbox, log } = parts
  while (!Dataplane.isThere(config.bpffs) && inbox.value === undefined) {
    if ((await inbox.wait(60_000, signal)) === 'stopped') return
  }
  using dataplane = Dataplane.open(config.bpffs)
  log.info({ bpffs: config.bpffs, abi: abiDigest.slice(0, 12) }, 'programs loaded')
  inbox.nudge() // the state that ended the wait is still to be applied
  try {
    await driveDataplane(parts, dataplane, signal)
  } finally {
    if (config.detach_on_exit) await removeAll(parts, dataplane)
  }
}

async function driveDataplane(parts: Parts, dataplane: Dataplane, signal: AbortSignal): Promise<void> {
  const { config, log, inbox, uplink, status, links, answering } = parts
  using counters = new Counters(dataplane, status)
  const journal = new LearnedJournal()
  using tools = new FrameTools({ dataplane, status, journal, answering, nudge: () => inbox.nudge(), log })
  const onProbe = (probe: ProbeEvent) => tools.heard(probe)
  using learning = new Learning({ dataplane, status, uplink, journal, log, onProbe })
  using _watch = watchLinks(links, inbox, log)
  parts.counters = counters
  const drivers = makeDrivers({ node: config.node_name, dataplane, links, status })
  const acknowledge = acknowledger(parts)
  const opts = {
    now: () => performance.now(),
    cpuMs,
    resyncMs: config.resync_ms,
    backoffMs: (failures: number) => backoffMs(failures, { firstMs: 100, maxMs: 30_000 }),
    onPass: (outcome: Outcome<NodeState>) => {
      acknowledge({ ...outcome, failures: [...outcome.failures, ...tools.failures] })
      tools.passed()
      learning.nudge()
    },
    onThrow: (driver: string, err: unknown) => log.error({ err, driver }, 'driver failed'),
  }
  try {
    await together(signal, [
      (stop) => reconcile(drivers, inbox, opts, stop),
      (stop) => learning.run(stop),
      (stop) => tools.run(stop),
      (stop) => sendReports(parts, counters, stop),
    ])
  } finally {
    parts.counters = undefined
  }
}

/** Tells the controller what is in the kernel: when that changed, and once on each new stream. */
function acknowledger({ uplink, status, log }: Parts): (outcome: Outcome<NodeState>) => void {
  let told = { generation: 0, revision: -1n }
  return ({ state, failures }) => {
    const same = sameFailures(failures, status.failures)
    if (!same) log[failures.length > 0 ? 'warn' : 'info']({ failures }, 'failures changed')
    status.applied = state
    status.failures = failures
    status.passes++
    const { generation } = uplink
    if (generation === 0) return
    if (same && told.generation === generation && told.revision === state.revision) return
    told = { generation, revision: state.revision }
    uplink.send({ kind: 'applied', applied: { revision: state.revision, failures } })
  }
}

async function sendReports(
  { config, uplink }: Parts,
  counters: Counters,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (uplink.generation > 0 && !uplink.congested) {
      uplink.send({ kind: 'telemetry', telemetry: counters.report() })
    }
    await pause(config.report_ms, signal)
  }
}

async function removeAll({ config, links, status, log }: Parts, dataplane: Dataplane): Promise<void> {
  const device = new DeviceDriver(links, status)
  await links.refresh(true)
  detachAll(dataplane, links)
  await new GroupDriver(links, status).remove()
  await new BridgePortDriver(config.node_name, links, status).remove()
  await device.remove()
  dataplane.remove()
  log.info('programs, maps and the VXLAN device are taken away')
}

function readingOf({ status, uplink, counters }: Parts): Reading {
  const read = counters && { report: counters.report(), losses: counters.readLosses() }
  return { status, uplink, counters: read }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

import { resolve } from 'node:path'
import { WeftError } from '../common/errors.js'
import type { DesiredTopology } from '../model/desired-state.js'
import type { LabCheck, LabSpec } from '../topology/index.js'
import {
  applyTopology,
  labClient,
  makeNamespaces,
  startControlPlane,
  startNodes,
  waitProgrammed,
} from './bring-up.js'
import { type CheckOutcome, formatOutcome, runCheck } from './checks/check.js'
import { chooseAddresses, type LabAddresses } from './daemons.js'
import { destroyLab, formatRemoved, listNamespaces } from './destroy.js'
import { expediteRcu, restoreRcu } from './expedited-rcu.js'
import { type LabPlan, planLab } from './plan.js'
import { requirePrivileges } from './privileges.js'
import { ownIdentity, startProcess } from './process.js'
import { claimDirectory, type LabRecord, releaseDirectory, writeRecord } from './record.js'
import { Stages } from './stages.js'
import { keepDeployedFile, type LabSource } from './topology-file.js'
import { trafficProcesses } from './traffic.js'

export interface DeployOptions {
  readonly source: LabSource
  /** Run the file's checks as the last stage. */
  readonly check?: boolean
  /** Leave what there is when a stage fails, to look into it. */
  readonly keep?: boolean
  /** Aborting rolls back, as a failure does. */
  readonly signal: AbortSignal
  readonly write: (text: string) => void
  readonly isTerminal?: boolean
}

export interface Deployed {
  readonly record: LabRecord
  readonly traffic: number
  /** Empty unless asked for. */
  readonly checks: readonly CheckOutcome[]
}

/**
 * Builds a lab from a topology file, applies the file and waits until every
 * node has programmed it. After a failure or an abort nothing is left.
 *
 * @throws WeftError of the file, W-4003 when the lab is there, W-4005 for a step that failed.
 */
export async function deployLab(options: DeployOptions): Promise<Deployed> {
  const { desired, lab, file } = options.source
  if (lab.segments.length === 0)
    throw new WeftError('W-4005', `${file} has no lab section with segments, so there is nothing to build`, {
      next: 'weft apply',
    })
  const plan = planLab(desired, lab)
  await requirePrivileges()
  await claimLab(plan)
  const { write } = options
  write(`lab ${desired.name}   ${counted(desired, lab)}\n`)
  try {
    return await build(plan, options)
  } catch (thrown) {
    const interrupted = options.signal.aborted
    if (!(options.keep && !interrupted)) write(`${await rollBack(desired.name)}\n`)
    throw interrupted ? new Interrupted(desired.name, thrown) : WeftError.from(thrown, 'W-4005')
  }
}

/** A signal during a deploy: what was built is gone. */
export class Interrupted extends WeftError {
  constructor(lab: string, cause: unknown) {
    super('W-4005', `lab ${lab}: interrupted`, { cause })
  }
}

async function build(plan: LabPlan, options: DeployOptions): Promise<Deployed> {
  const { signal, source } = options
  const { lab, text, file } = source
  const stages = new Stages(options.write, options.isTerminal ?? false)
  const addresses = await chooseAddresses(plan.name)
  const record = recordOf(plan, resolve(file), addresses)
  const rcuWas = await expediteRcu()
  try {
    await writeRecord(rcuWas === undefined ? record : { ...record, rcu_expedited_was: rcuWas })
    await keepDeployedFile(source)
    await stages.stage('namespaces and links', () => makeNamespaces(plan, signal))
    const client = labClient(addresses.http_socket, signal)
    const processes = await stages.stage('etcd, controller', () =>
      startControlPlane(plan.name, addresses, client, signal),
    )
    const revision = await applyTopology(client, plan.name, text)
    const start = () => startNodes(plan, addresses, client, processes, signal)
    const running = await stages.stage('nodes ready', start, ({ length }) => `${length}/${length}`)
    await stages.stage('tables programmed', () =>
      waitProgrammed(plan.name, client, revision, [...processes, ...running], signal),
    )
  } finally {
    await restoreRcu(rcuWas)
  }
  const running: LabRecord = { ...record, state: 'running' }
  await writeRecord(running)
  const checks = options.check ? await runChecks(lab.checks, running, stages, options) : []
  const traffic = trafficProcesses(plan, lab.traffic)
  for (const process of traffic) await startProcess(plan.name, process)
  signal.throwIfAborted()
  return { record: running, checks, traffic: lab.traffic.length }
}

async function runChecks(
  checks: readonly LabCheck[],
  record: LabRecord,
  stages: Stages,
  { signal, write }: DeployOptions,
): Promise<CheckOutcome[]> {
  const run = async () => {
    const outcomes: CheckOutcome[] = []
    for (const check of checks) outcomes.push(await runCheck(check, record, signal))
    return outcomes
  }
  const passed = (outcomes: CheckOutcome[]) => `${outcomes.filter(({ ok }) => ok).length}/${outcomes.length}`
  const outcomes = await stages.stage('checks', run, passed)
  const width = Math.max(0, ...outcomes.map(({ name }) => name.length))
  for (const outcome of outcomes) if (!outcome.ok) write(formatOutcome(outcome, width))
  return outcomes
}

async function rollBack(lab: string): Promise<string> {
  return `rolled back: ${formatRemoved(await destroyLab(lab))}`
}

// What is recorded as ours is deleted at rollback, so it must not be there before. The claim comes
// first: namespaces of a lab that is there are named after it, and the user should hear of the lab.
async function claimLab({ name, namespaces }: LabPlan): Promise<void> {
  await claimDirectory(name)
  const existing = new Set(await listNamespaces())
  const taken = namespaces.find((namespace) => existing.has(namespace))
  if (taken === undefined) return
  await releaseDirectory(name)
  throw new WeftError('W-4003', `namespace ${taken} is already there, so lab ${name} cannot be built`, {
    next: `weft lab destroy ${name}, or ip netns del ${taken} if it is no lab's`,
  })
}

function recordOf(plan: LabPlan, file: string, addresses: LabAddresses): LabRecord {
  return {
    name: plan.name,
    state: 'deploying',
    created_at: new Date().toISOString(),
    deployed_by: ownIdentity(),
    file,
    namespaces: plan.namespaces,
    hosts: plan.hosts,
    endpoints: plan.endpoints.map(({ vni: _vni, ...endpoint }) => endpoint),
    ports: plan.ports,
    http: { socket: addresses.http_socket, url: `http://127.0.0.1:${addresses.http}` },
    etcd_url: `http://127.0.0.1:${addresses.etcd_client}`,
  }
}

function counted({ nodes, networks }: DesiredTopology, { endpoints }: LabSpec): string {
  const count = (many: readonly unknown[], one: string) =>
    `${many.length} ${one}${many.length === 1 ? '' : 's'}`
  return [count(nodes, 'node'), count(networks, 'network'), count(endpoints, 'endpoint')].join(', ')
}

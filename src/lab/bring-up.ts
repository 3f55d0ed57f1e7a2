import type { NodeItem } from '../api/items.js'
import type { Status } from '../api/status.js'
import type { ApplyResult } from '../api/topology.js'
import { ApiClient } from '../common/api-client.js'
import { mountBpffs } from './bpffs.js'
import { withoutBridgeNetfilter } from './bridge-netfilter.js'
import { eachLimited } from './command.js'
import { controllerProcess, etcdProcess, type LabAddresses, nodeProcess, waitUntil } from './daemons.js'
import { ipBatch } from './ip-batch.js'
import type { LabPlan } from './plan.js'
import { type ProcessRecord, startProcess } from './process.js'
import { writeSysctls } from './sysctls.js'

/** The lab's controller, over its unix socket. */
export function labClient(socket: string, signal: AbortSignal): ApiClient {
  return new ApiClient(
    { address: { kind: 'unix', path: socket }, reason: 'of the lab', labs: [] },
    signal,
    30_000,
  )
}

// The steps of a deploy, in their order. Each can be interrupted; none cleans up.

export async function makeNamespaces(plan: LabPlan, signal: AbortSignal): Promise<void> {
  await mountBpffs(plan.name)
  await ipBatch(plan.create, { signal })
  await eachLimited(plan.configure, 4, async ([namespace, lines]) => {
    await withoutBridgeNetfilter(namespace, signal)
    await ipBatch(lines, { namespace, signal })
  })
  for (const { namespace } of plan.hosts) await writeSysctls(namespace, plan.sysctls, signal)
}

export async function startControlPlane(
  lab: string,
  addresses: LabAddresses,
  client: ApiClient,
  signal: AbortSignal,
): Promise<ProcessRecord[]> {
  const processes = [
    await startProcess(lab, etcdProcess(lab, addresses)),
    await startProcess(lab, controllerProcess(addresses)),
  ]
  const what = 'the controller is not ready'
  await waitUntil(() => isReady(client), { lab, what, processes, timeoutMs: 30_000, signal })
  return processes
}

/** Applies the file over the API, as production would. Returns the revision that is in etcd. */
export async function applyTopology(client: ApiClient, lab: string, text: string): Promise<number> {
  const path = `/api/v1/topologies/${encodeURIComponent(lab)}`
  return (await client.request<ApplyResult>('PUT', path, { body: text })).revision
}

/** Starts the daemons and waits until all are connected. `others` must go on running meanwhile. */
export async function startNodes(
  plan: LabPlan,
  addresses: LabAddresses,
  client: ApiClient,
  others: readonly ProcessRecord[],
  signal: AbortSignal,
): Promise<ProcessRecord[]> {
  const started: ProcessRecord[] = []
  for (const host of plan.hosts)
    started.push(await startProcess(plan.name, nodeProcess(plan.name, host, addresses)))
  let away: readonly string[] = []
  const ready = async () => {
    const { items } = await client.list<NodeItem>('nodes')
    const here = new Set(items.filter(({ connected }) => connected).map(({ name }) => name))
    away = plan.hosts.map(({ name }) => name).filter((name) => !here.has(name))
    return away.length === 0
  }
  await waitUntil(ready, {
    lab: plan.name,
    what: 'nodes are not connected',
    why: () => away.join(', '),
    processes: [...others, ...started],
    timeoutMs: 30_000 + 1000 * plan.hosts.length,
    signal,
  })
  return started
}

/** Waits until every node has `revision` in its kernel, without failures. */
export async function waitProgrammed(
  lab: string,
  client: ApiClient,
  revision: number,
  processes: readonly ProcessRecord[],
  signal: AbortSignal,
): Promise<void> {
  let late: readonly NodeItem[] = []
  const programmed = async () => {
    late = (await client.list<NodeItem>('nodes')).items.filter(
      ({ applied_revision, failures }) => applied_revision < revision || failures.length > 0,
    )
    return late.length === 0
  }
  const why = () =>
    late
      .map(({ name, applied_revision, failures }) => {
        const first = failures[0]
        if (first) return `${name}: ${first.code} ${first.what}: ${first.message}`
        return `${name} is at revision ${applied_revision} of ${revision}`
      })
      .join('; ')
  const what = 'tables are not programmed'
  await waitUntil(programmed, { lab, what, why, processes, timeoutMs: 30_000, signal })
}

// /readyz says the same in words; the list of nodes, asked for next, is of a view that has been loaded.
async function isReady(client: ApiClient): Promise<boolean> {
  return client.request<Status>('GET', '/api/v1/status').then(
    ({ store, controller }) => store.available && controller.revision > 0,
    () => false,
  )
}

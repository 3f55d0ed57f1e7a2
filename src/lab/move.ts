import { setTimeout as sleep } from 'node:timers/promises'
import { WeftError } from '../common/errors.js'
import { must } from './command.js'
import { ipBatch } from './ip-batch.js'
import { cableLine, portLines, socketLine, stationLines } from './links.js'
import { namespaceOf } from './names.js'
import { type LabRecord, type RecordedEndpoint, readRecord, writeRecord } from './record.js'

/** As a hypervisor does after a migration: several times, as the first may be lost. */
const ANNOUNCEMENTS_MS = [0, 50, 150, 250, 350]

/**
 * Plugs an endpoint into another host. It keeps namespace, MAC and addresses;
 * its device is a new one, as is the port's at a real migration: a device that
 * changes its namespace would take the programs of the old host along.
 *
 * @throws WeftError W-4004 for a name that the lab has not, W-4005 when it has no free port there.
 */
export async function moveEndpoint(lab: string, name: string, to: string): Promise<RecordedEndpoint> {
  const record = await readRecord(lab)
  const endpoint = record?.endpoints.find((one) => one.name === name)
  if (!record || !endpoint || !record.hosts.some((host) => host.name === to)) {
    const what = endpoint ? `host ${to}` : `endpoint ${name}`
    throw new WeftError('W-4004', `lab ${lab} has no ${what}`, { next: `weft lab inspect ${lab}` })
  }
  if (endpoint.node === to) throw new WeftError('W-4005', `${name} is on ${to} already`)
  const moved = { ...endpoint, node: to, interface: portFor(record, endpoint, to) }
  await replug(lab, endpoint, moved)
  const endpoints = record.endpoints.map((one) => (one === endpoint ? moved : one))
  await writeRecord({ ...record, endpoints })
  return moved
}

/** Gratuitous ARP and unsolicited neighbour advertisements, until all are out. */
export async function announce({ namespace, mac }: RecordedEndpoint, signal?: AbortSignal): Promise<void> {
  // The kernel makes them itself when an address is set, be it the same one.
  const script = `
    notify() {
      for file in ipv4/conf/eth0/arp_notify ipv6/conf/eth0/ndisc_notify; do
        [ ! -e /proc/sys/net/$file ] || echo "$1" >/proc/sys/net/$file
      done
    }
    notify 1
    ip link set dev eth0 address "$1"
    notify 0`
  for (const after of ANNOUNCEMENTS_MS) {
    await sleep(after, undefined, { signal })
    await must(['sh', '-ec', script, 'sh', mac], { namespace, signal })
  }
}

/** Behind a bridge of the same name there is always room. */
function portFor(record: LabRecord, endpoint: RecordedEndpoint, to: string): string {
  if (endpoint.bridge !== undefined) return endpoint.name
  const plugged = new Set(record.endpoints.map((one) => `${one.node}/${one.interface}`))
  const free = record.ports
    .filter((port) => port.node === to && port.network === endpoint.network)
    .map((port) => port.interface)
    .filter((device) => !plugged.has(`${to}/${device}`))
  const port = [endpoint.name, endpoint.interface].find((device) => free.includes(device)) ?? free[0]
  if (port !== undefined) return port
  throw new WeftError(
    'W-4005',
    `no port of network ${endpoint.network} on ${to} is free for ${endpoint.name}`,
    {
      next: `add moves_to: [${to}] to ${endpoint.name} in the file`,
    },
  )
}

async function replug(lab: string, from: RecordedEndpoint, to: RecordedEndpoint): Promise<void> {
  const [oldHost, newHost] = [namespaceOf(lab, from.node), namespaceOf(lab, to.node)]
  const behindBridge = to.bridge !== undefined
  if (!behindBridge) await ipBatch([`link del dev ${to.interface}`], { namespace: newHost })
  await ipBatch([cableLine(to, 'eth0-new', newHost, to.interface)])
  await ipBatch(portLines(to.interface, to.bridge), { namespace: newHost })
  const swap = ['link del dev eth0', 'link set dev eth0-new name eth0', ...stationLines(to)]
  await ipBatch(swap, { namespace: to.namespace })
  if (behindBridge) return
  await ipBatch([socketLine(oldHost, from.interface)])
  await ipBatch(portLines(from.interface), { namespace: oldHost })
}

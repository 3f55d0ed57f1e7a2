import type { SimulateQuestion } from '../../rpc/questions.js'
import type { Dataplane } from '../drivers/dataplane.js'
import type { NodeStatus } from '../status.js'
import type { Answerer } from './answering.js'
import { interfaceOf } from './ports.js'
import { simulate, type Tables } from './simulation.js'

type TableMaps = ReturnType<typeof openTables>

/** Belong to the caller. */
export function openTables(dataplane: Dataplane) {
  return {
    ports: dataplane.map('ports'),
    segments: dataplane.map('segments'),
    fdb: dataplane.map('fdb'),
    vteps: dataplane.map('vteps'),
    allowed: dataplane.map('allowed_macs'),
    learned: dataplane.map('learned'),
    config: dataplane.map('config'),
  }
}

/** One hop, from what is in the maps now. */
export function answerSimulate(maps: TableMaps, status: NodeStatus): Answerer<SimulateQuestion> {
  return async (question, reply) => reply(simulate(question, tablesOf(maps, status)))
}

function tablesOf(maps: TableMaps, status: NodeStatus): Tables {
  return {
    ifindex: (name) => status.ports.find((port) => port.interface === name)?.ifindex,
    name: (ifindex) => interfaceOf(ifindex, status),
    port: (ifindex) => maps.ports.get({ ifindex }),
    segment: (vni) => maps.segments.get({ vni }),
    fdb: (vni, mac) => maps.fdb.get({ vni, mac }),
    learned: (vni, mac) => maps.learned.get({ vni, mac }),
    vtep: (vni, vtep) => maps.vteps.get({ vni, vtep }) !== undefined,
    allowed: (ifindex, mac) => maps.allowed.get({ ifindex, mac }) !== undefined,
    hasTunnel: (maps.config.get({ zero: 0 })?.vxlanIfindex ?? 0) !== 0,
    nowNs: Number(process.hrtime.bigint()),
    revision: status.applied?.revision ?? 0n,
  }
}

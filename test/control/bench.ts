import { pino } from 'pino'
import type { Control } from '../../src/controller/control.js'
import { type ControlConfig, startController } from '../../src/controller/controller.js'
import type { DesiredTopology, NetworkSpec } from '../../src/model/desired-state.js'
import { plainNetwork } from '../../src/model/segment.fixture.js'

export interface RunningController {
  readonly control: Control
  readonly target: string
  stop(): Promise<void>
}

/** A controller in this process, on a free loopback port. */
export async function runController(
  etcd: string,
  settings: Partial<ControlConfig> = {},
): Promise<RunningController> {
  const stop = new AbortController()
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' })
  const { control, done, grpc_addresses } = await startController(
    {
      etcd: [etcd],
      etcd_prefix: '/weft/v1/',
      grpc_listen: ['127.0.0.1:0'],
      insecure: false,
      ...settings,
    },
    log,
    stop.signal,
  )
  return {
    control,
    target: grpc_addresses[0]!,
    stop: async () => {
      stop.abort()
      await done
    },
  }
}

export function network(name: string, vni: number, parts: Partial<NetworkSpec> = {}): NetworkSpec {
  return {
    ...plainNetwork,
    name,
    vni,
    ...parts,
  }
}

/** Nodes host0, host1, … with addresses 10.0.0.1, 10.0.0.2, … and the given networks. */
export function topology(
  name: string,
  nodes: number,
  networks: readonly NetworkSpec[],
  description = '',
): DesiredTopology {
  return {
    name,
    description,
    nodes: Array.from({ length: nodes }, (_, i) => ({
      name: `host${i}`,
      underlay: { dev: 'eth0', address: vtep(i), prefix_length: 16, port: 4789 },
    })),
    networks,
  }
}

export function vtep(i: number): string {
  return `10.0.${Math.floor((i + 1) / 256)}.${(i + 1) % 256}`
}

/** `port` on each of the first `nodes` nodes. */
export function portsOn(nodes: number, port: string): { node: string; interface: string }[] {
  return Array.from({ length: nodes }, (_, i) => ({ node: `host${i}`, interface: port }))
}

export function macText(i: number): string {
  const hex = i.toString(16).padStart(8, '0')
  return `02:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6)}`
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { built, compileBpf, compileC } from './compile.js'
import type { Measure } from './measure.js'
import { macOf, type Path, type Rig } from './rig.js'
import { type Flow, tenantFrame, vxlanFrame } from './wire.js'

const run = promisify(execFile)

const FRAMELOAD = built('frameload')
const PROGRAMS = built('frames.bpf.o')
const CHUNKS_PER_SECOND = 1 // of 2^18 frames, sent four times: each direction, and the generator alone
const MAX_CHUNKS = 64
const CPU = 1

export function buildFrameload(): void {
  compileC('frameload.c', FRAMELOAD, ['-lbpf'])
  compileBpf('frames.bpf.c', PROGRAMS)
}

/** Where frames leave the generator, which device takes them in, and where they are counted and dropped. */
interface Crossing {
  readonly from: string
  readonly into: string
  readonly sink: string
  readonly frame: Uint8Array
}

interface Cost {
  readonly ns: number
  /** What the generator took of each frame's time; not in `ns`. */
  readonly generatorNs: number
  readonly lost: number
}

type Name = 'encapsulate' | 'encapsulate_generator' | 'decapsulate' | 'decapsulate_generator'

const ns = <N extends Name>(name: N) => ({ name, unit: 'ns a frame', better: 'lower' }) as const

/** Nanoseconds of one core that a host takes for each 60-byte frame of an endpoint, each direction apart. */
export const frames: Measure<Name> = {
  name: 'frames',
  figures: [
    ns('encapsulate'),
    ns('decapsulate'),
    { ...ns('encapsulate_generator'), aside: true },
    { ...ns('decapsulate_generator'), aside: true },
  ],
  fits: (rig) => rig.path !== undefined,
  async take(rig, seconds, signal) {
    const chunks = Math.min(seconds * CHUNKS_PER_SECOND, MAX_CHUNKS)
    const out = await cost(toFabric(rig, rig.path!), chunks, signal)
    const back = await cost(toEndpoint(rig, rig.path!), chunks, signal)
    return {
      values: {
        encapsulate: out.ns,
        encapsulate_generator: out.generatorNs,
        decapsulate: back.ns,
        decapsulate_generator: back.generatorNs,
      },
      lost: Math.max(out.lost, back.lost),
    }
  },
}

/** From an endpoint's device to the fabric's: host0 encapsulates, and nobody else does anything. */
function toFabric({ a, b }: Rig, { hosts: [near], fabric, vni }: Path): Crossing {
  const next = vni === undefined ? macOf(near.namespace, near.port) : macOf(b.namespace, 'eth0')
  return {
    from: `${a.namespace}/eth0`,
    into: `${near.namespace}/${near.port}`,
    sink: `${fabric}/${near.uplink}`,
    frame: tenantFrame({
      macs: { from: macOf(a.namespace, 'eth0'), to: next },
      addresses: { from: a.address, to: b.address },
    }),
  }
}

/** From the fabric's device to an endpoint's: host1 decapsulates. */
function toEndpoint({ a, b }: Rig, { hosts: [near, far], fabric, vni }: Path): Crossing {
  const underlay = {
    from: macOf(near.namespace, 'eth0'),
    to: macOf(far.namespace, 'eth0'),
  }
  const addresses = { from: a.address, to: b.address }
  const tenant: Flow = {
    macs: { from: macOf(a.namespace, 'eth0'), to: macOf(b.namespace, 'eth0') },
    addresses,
  }
  const outer: Flow = { macs: underlay, addresses: { from: near.address, to: far.address } }
  return {
    from: `${fabric}/${far.uplink}`,
    into: `${far.namespace}/eth0`,
    sink: `${b.namespace}/eth0`,
    frame:
      vni === undefined
        ? tenantFrame({ macs: underlay, addresses })
        : vxlanFrame(outer, vni, tenantFrame(tenant)),
  }
}

/** The generator's own cost is that of the same frames dropped before the host sees them. */
async function cost(crossing: Crossing, chunks: number, signal: AbortSignal): Promise<Cost> {
  const alone = await send({ ...crossing, sink: crossing.into }, chunks, signal)
  const through = await send(crossing, chunks, signal)
  if (through.arrived === 0) throw new Error(`no frame came from ${crossing.into} to ${crossing.sink}`)
  return {
    ns: through.ns - alone.ns,
    generatorNs: alone.ns,
    lost: Math.max(0, 1 - through.arrived / through.sent, 1 - alone.arrived / alone.sent),
  }
}

interface Counted {
  readonly sent: number
  readonly arrived: number
  readonly ns: number
}

async function send(crossing: Crossing, chunks: number, signal: AbortSignal): Promise<Counted> {
  const { from, into, sink, frame } = crossing
  const argv = [PROGRAMS, Buffer.from(frame).toString('hex'), String(chunks), from, into, sink]
  const { stdout } = await run('taskset', ['-c', String(CPU), FRAMELOAD, ...argv], { signal })
  return JSON.parse(stdout)
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mac } from '../src/model/mac.js'
import { type Codec, readU32, writeU32 } from '../src/node/bpf/codec.js'
import { BpfObject, type BpfProgram } from '../src/node/bpf/object.js'
import { testRun } from '../src/node/bpf/test-run.js'
import { DataplaneRig, TC_ACT_REDIRECT } from '../test/bpf/dataplane-rig.js'
import { ethernet, mac, payload } from '../test/bpf/frames.js'
import { compileBpf } from './compile.js'
import type { ProgramCost } from './programs.js'
import { summarize } from './stats.js'

// What one 60-byte frame costs in each program, with no device and no queue.
const REPEAT = 500_000
const VNI = 10000
const samples = Number(process.argv[2] ?? 11)
const PROG_ARRAY = 3
const index: Codec<number> = {
  size: 4,
  encode: (value, out, at = 0) => writeU32(out, at, value),
  decode: (bytes, at = 0) => readU32(bytes, at),
}
const near = mac('02:00:00:00:00:01')
const nearToo = mac('02:00:00:00:00:02')
const far = mac('02:00:00:00:00:09')

using rig = new DataplaneRig()
const port = rig.addPort(rig.ports[0], VNI)
const portToo = rig.addPort(rig.ports[1], VNI)
rig.addSegment(VNI, { vteps: ['192.0.2.2'], ports: [port, portToo] })
rig.addRemote(VNI, far, '192.0.2.2')
rig.addLearned(VNI, near, port)
rig.addLearned(VNI, nearToo, portToo)

const dir = mkdtempSync(join(tmpdir(), 'weft-bench-'))
try {
  using keyed = loadKeyed()
  const ingress = { program: rig.portIngress, ifindex: port }
  const tunnel = { program: keyed.program('with_tunnel_key'), ifindex: rig.vxlanIfindex }
  const costs: ProgramCost[] = [
    cost('port_ingress, to another node', ingress, frame(near, far)),
    cost('port_ingress, to a port of this node', ingress, frame(near, nearToo)),
    cost('tunnel_ingress, to a port', tunnel, frame(far, near)),
  ]
  process.stdout.write(JSON.stringify(costs))
} finally {
  rmSync(dir, { recursive: true })
}

function frame(from: Mac, to: Mac): Uint8Array {
  return ethernet({ from, to }, payload(46))
}

function cost(name: string, at: { program: BpfProgram; ifindex: number }, bytes: Uint8Array): ProgramCost {
  const run = (repeat: number) => testRun(at.program, bytes, { repeat, ctx: { ifindex: at.ifindex } })
  const { verdict } = run(1)
  // A benchmark that measures the drop path is worse than none.
  if (verdict !== TC_ACT_REDIRECT) throw new Error(`${name}: verdict ${verdict}, not redirect`)
  return { name, ns: summarize(Array.from({ length: samples }, () => run(REPEAT).nsPerRun)) }
}

function loadKeyed(): BpfObject {
  const object = join(dir, 'with_tunnel_key.bpf.o')
  compileBpf('with_tunnel_key.bpf.c', object)
  const loaded = BpfObject.open(object, { pinRoot: rig.bpffs })
  loaded.load()
  using measured = loaded.map('measured', {
    key: index,
    value: index,
    type: PROG_ARRAY,
    maxEntries: 1,
    perCpu: false,
  })
  measured.set(0, rig.tunnelIngress.fd)
  return loaded
}

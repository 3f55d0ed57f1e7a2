import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { built } from './compile.js'
import type { Host, RigKind } from './rig.js'

const run = promisify(execFile)
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const CLI = here('../dist/cli/main.js')
const TOPOLOGY = here('two-hosts.yaml')

/** Every frame through the VXLAN device. */
export const weftSlowRig = weftRig('slow', 'off')

/** As it is when nothing is said. */
export const weftFastRig = weftRig('fast', 'auto')

/** The product as users run it: etcd, controller, two daemons, deployed by `weft lab`. */
function weftRig(path: 'slow' | 'fast', fastPath: 'off' | 'auto'): RigKind {
  const lab = `bench-${path}`
  const name = `weft-${path}` as const
  const namespace = (member: string) => `weft-${lab}-${member}`
  const host = (i: 0 | 1): Host => ({
    namespace: namespace(`host${i}`),
    address: `172.31.0.${i + 1}`,
    port: i === 0 ? 'a' : 'b',
    uplink: `port${i}`,
  })
  const down = () => {
    if (!existsSync(`/run/weft/lab/${lab}`)) return
    // A group of its own: a second Ctrl-C must not end what cleans up after the first.
    execFileSync('setsid', ['--wait', 'node', CLI, 'lab', 'destroy', lab], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  return {
    name,
    async up(signal) {
      down() // what an interrupted run left
      await run('node', [CLI, 'lab', 'deploy', '-f', topology(lab, fastPath)], { signal })
      return {
        name,
        a: { namespace: namespace('a'), address: '10.77.0.1' },
        b: { namespace: namespace('b'), address: '10.77.0.2' },
        path: { hosts: [host(0), host(1)], fabric: namespace('fabric'), vni: 10000 },
      }
    },
    down,
  }
}

/** The file of both rigs, with this one's name and choice in it. */
function topology(lab: string, fastPath: string): string {
  const file = built(`${lab}.yaml`)
  const common = parse(readFileSync(TOPOLOGY, 'utf8'))
  const { bench } = common.networks
  const networks = { bench: { ...bench, fast_path: fastPath } }
  writeFileSync(file, stringify({ ...common, name: lab, networks }))
  return file
}

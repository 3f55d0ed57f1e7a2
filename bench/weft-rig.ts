import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Rig } from './rig.js'

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const TOPOLOGY = fileURLToPath(new URL('two-hosts.yaml', import.meta.url))

/** The product as users run it: etcd, controller, two daemons, deployed by `weft lab`. */
export function weftRig(): Rig {
  const lab = (...args: string[]) =>
    execFileSync('node', [CLI, 'lab', ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  lab('deploy', '-f', TOPOLOGY)
  return {
    name: 'weft',
    a: { namespace: 'weft-bench-a', address: '10.77.0.1' },
    b: { namespace: 'weft-bench-b', address: '10.77.0.2' },
    down: () => lab('destroy', 'bench'),
  }
}

import type { DesiredTopology } from '../../model/desired-state.js'
import type { LabSpec } from '../lab-spec.js'
import type { Finding } from '../problem.js'
import type { Topology } from '../schema/topology.js'
import { Findings } from './findings.js'
import { compileLab } from './lab.js'
import { compileNetworks, type Networks } from './networks.js'
import { type CompileContext, compileNodes } from './nodes.js'

export interface Compiled {
  /** Absent when there are problems. */
  readonly desired?: DesiredTopology
  /** Present when asked for and there are no problems. */
  readonly lab?: LabSpec
  readonly problems: readonly Finding[]
}

/**
 * Resolves references and sets, fills in defaults, checks what no single field
 * can say. The lab is always checked; it has effect with `lab` only.
 */
export function compileTopology(topology: Topology, opts: { lab?: boolean } = {}): Compiled {
  const findings = new Findings()
  const nodes = compileNodes(topology, findings)
  const vteps = new Map([...nodes.values()].map(({ spec }) => [spec.underlay?.address ?? '', spec.name]))
  const context: CompileContext = {
    topology,
    nodes,
    findings,
    vteps,
    selections: new Map(),
    mixed: new Map(),
  }
  const networks = compileNetworks(context)
  const declared = desiredOf(context, networks)
  const lab = topology.lab || opts.lab ? compileLab(context, networks) : undefined
  if (findings.items.length > 0) return { problems: findings.items }
  if (!opts.lab || !lab) return { desired: declared, problems: [] }
  return { desired: desiredOf(context, networks), lab, problems: [] }
}

function desiredOf({ topology, nodes }: CompileContext, networks: Networks): DesiredTopology {
  return {
    name: topology.name,
    description: topology.description,
    nodes: [...nodes.values()].map(({ spec }) => spec),
    networks: [...networks.byName.values()].map(({ spec, ports }) => ({ ...spec, ports: [...ports] })),
  }
}

import type { NodeItem } from '../../api/items.js'
import type { Status } from '../../api/status.js'
import { WeftError } from '../../common/errors.js'
import { version as ours } from '../../common/version.js'
import { type CliContext, exitCodes, type GlobalFlags } from '../context.js'
import { asValue, refuseFormat } from '../formats.js'
import { renderTable, renderValue } from '../output.js'
import { connect } from '../session.js'

interface Versions {
  readonly weft: string
  readonly node_js: string
  /** `null`: no controller answers. */
  readonly controller: string | null
  readonly nodes: readonly {
    readonly name: string
    readonly version: string | null
    readonly abi: string | null
  }[]
  readonly skew: boolean
}

/** Versions of this command, the controller and its nodes; works without a controller. */
export async function version(ctx: CliContext, flags: GlobalFlags): Promise<number> {
  refuseFormat('version', flags, asValue)
  const versions = await collect(ctx, flags)
  if (flags.output === 'json' || flags.output === 'yaml')
    ctx.stdout.write(renderValue(versions, flags.output))
  else ctx.stdout.write(formatVersions(versions))
  return exitCodes.done
}

/** Pure. */
export function formatVersions({ weft, node_js, controller, nodes, skew }: Versions): string {
  const known = nodes.filter((node) => node.version !== null)
  const rows = [
    ['weft', weft, `Node.js ${node_js}`],
    ['controller', controller ?? '-', controller === null ? 'does not answer' : ''],
    ...groups(
      known.map((node) => ({ name: node.name, of: `${node.version}, ABI ${node.abi?.slice(0, 12) ?? '-'}` })),
    ),
  ]
  return `${renderTable(rows)}${skew ? 'The versions differ: bring all to one.\n' : ''}`
}

async function collect(ctx: CliContext, flags: GlobalFlags): Promise<Versions> {
  const local = { weft: ours, node_js: process.versions.node }
  try {
    const client = connect(ctx, flags)
    const { controller } = await client.request<Status>('GET', '/api/v1/status')
    const nodes = (await client.list<NodeItem>('nodes')).items.map(({ name, version: theirs, abi }) => ({
      name,
      version: theirs,
      abi,
    }))
    const all = new Set([ours, controller.version, ...nodes.flatMap((node) => node.version ?? [])])
    return { ...local, controller: controller.version, nodes, skew: all.size > 1 }
  } catch (err) {
    if (err instanceof WeftError && err.code === 'W-3009')
      return { ...local, controller: null, nodes: [], skew: false }
    throw err
  }
}

function groups(nodes: readonly { name: string; of: string }[]): string[][] {
  const byVersion = new Map<string, string[]>()
  for (const { name, of } of nodes) byVersion.set(of, [...(byVersion.get(of) ?? []), name])
  return [...byVersion].map(([of, names]) => [
    'nodes',
    of,
    names.length > 3 ? `${names.length} nodes` : names.join(', '),
  ])
}

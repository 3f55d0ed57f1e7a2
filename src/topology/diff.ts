import type { DesiredTopology, NetworkSpec, NodeSpec, PortSpec } from '../model/desired-state.js'

import { counted, pathText } from './words.js'

export interface Change {
  readonly op: 'add' | 'change' | 'remove'
  /** `networks.red.mtu` */
  readonly path: string
  /** As text for people. */
  readonly from?: string
  readonly to?: string
  /** What it does to traffic: `live`, `brief: …` or `ports stop`. */
  readonly effect: string
}

const LIVE = 'live'
const STOPS = 'ports stop'

const order = ['change', 'add', 'remove']

/** What applying `to` would change: changes, then additions, then removals, each in file order. */
export function diffDesired(from: DesiredTopology | undefined, to: DesiredTopology): Change[] {
  const before: DesiredTopology = from ?? { name: to.name, description: '', nodes: [], networks: [] }
  const changes: Change[] = [
    ...field('description', before.description, to.description, LIVE),
    ...byName(before.nodes, to.nodes, {
      path: 'nodes',
      describe: nodeText,
      removal: (node) => removedNodeText(node.name, before),
      compare: nodeChanges,
    }),
    ...byName(before.networks, to.networks, {
      path: 'networks',
      describe: networkText,
      removal: networkText,
      compare: networkChanges,
    }),
  ]
  return changes.sort((a, b) => order.indexOf(a.op) - order.indexOf(b.op))
}

interface Kind<T> {
  readonly path: string
  readonly describe: (item: T) => string
  readonly removal: (item: T) => string
  readonly compare: (path: string, from: T, to: T) => Change[]
}

function byName<T extends { readonly name: string }>(
  from: readonly T[],
  to: readonly T[],
  kind: Kind<T>,
): Change[] {
  const before = new Map(from.map((item) => [item.name, item]))
  const after = new Set(to.map(({ name }) => name))
  const changes = to.flatMap((item): Change[] => {
    const path = pathText([kind.path, item.name])
    const known = before.get(item.name)
    if (known) return kind.compare(path, known, item)
    return [{ op: 'add', path, to: kind.describe(item), effect: LIVE }]
  })
  for (const item of from) {
    if (after.has(item.name)) continue
    const path = pathText([kind.path, item.name])
    changes.push({ op: 'remove', path, from: kind.removal(item), effect: STOPS })
  }
  return changes
}

function nodeChanges(path: string, from: NodeSpec, to: NodeSpec): Change[] {
  const effect = `brief: tunnels of ${to.name}, < 1 s each`
  if (!from.underlay || !to.underlay) {
    return field(`${path}.underlay`, nodeText(from), nodeText(to), to.underlay ? LIVE : STOPS)
  }
  const address = ({ address, prefix_length }: typeof from.underlay) => `${address}/${prefix_length}`
  return [
    ...field(`${path}.underlay.dev`, from.underlay.dev, to.underlay.dev, effect),
    ...field(`${path}.underlay.address`, address(from.underlay), address(to.underlay), effect),
    ...field(`${path}.underlay.port`, from.underlay.port, to.underlay.port, effect),
  ]
}

function networkChanges(path: string, from: NetworkSpec, to: NetworkSpec): Change[] {
  const brief = `brief: ports of ${to.name}, < 1 s each`
  const effects = {
    vni: brief,
    mode: brief,
    flood: LIVE,
    group: `brief: flooded frames of ${to.name}, < 1 s`,
    learning: LIVE,
    mac_ageing_s: LIVE,
    arp: LIVE,
    mtu: brief,
    mac_limit: LIVE,
    bum_limit: LIVE,
    ra_guard: LIVE,
    fast_path: LIVE,
  } as const satisfies Partial<Record<keyof NetworkSpec, string>>
  const scalars = Object.entries(effects) as [keyof typeof effects, string][]
  return [
    ...scalars.flatMap(([key, effect]) =>
      field(`${path}.${key}`, scalarOf(from, key), scalarOf(to, key), effect),
    ),
    ...entries(`${path}.ports`, portTexts(from), portTexts(to), 'port stops', portEffect),
    ...entries(`${path}.static`, staticTexts(from), staticTexts(to), LIVE),
    ...entries(`${path}.remotes`, remoteTexts(from), remoteTexts(to), LIVE),
  ]
}

type Scalar = string | number | boolean

function scalarOf(network: NetworkSpec, key: keyof NetworkSpec): Scalar {
  const value = network[key]
  if (value === 0 && key.endsWith('_limit')) return 'none'
  return typeof value === 'object' ? '' : (value ?? '')
}

function field(path: string, from: Scalar, to: Scalar, effect: string): Change[] {
  if (from === to) return []
  return [{ op: 'change', path, from: shown(from), to: shown(to), effect }]
}

function shown(value: Scalar): string {
  const text = String(value).replace(/\s+/g, ' ').trim()
  if (text === '') return 'none'
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}

/** Entries of a list by what identifies them; the value is the rest of the entry. */
function entries(
  path: string,
  from: ReadonlyMap<string, string>,
  to: ReadonlyMap<string, string>,
  removal: string,
  effect: (from: string, to: string) => string = () => LIVE,
): Change[] {
  const changes: Change[] = []
  for (const [key, text] of to) {
    const before = from.get(key)
    if (before === undefined)
      changes.push({ op: 'add', path: `${path}[${key}]`, to: shown(text), effect: LIVE })
    else changes.push(...field(`${path}[${key}]`, before, text, effect(before, text)))
  }
  for (const [key, text] of from) {
    if (!to.has(key))
      changes.push({ op: 'remove', path: `${path}[${key}]`, from: shown(text), effect: removal })
  }
  return changes
}

function portTexts({ ports }: NetworkSpec): Map<string, string> {
  return new Map(ports.map((port) => [`${port.node}/${port.interface}`, portText(port)]))
}

/** Whoever may speak changes at once; a bridge in place of a device is another port. */
function portEffect(from: string, to: string): string {
  return from.startsWith('bridge') === to.startsWith('bridge') ? LIVE : 'brief: the port, < 1 s'
}

function portText({ kind, macs, addresses, router }: PortSpec): string {
  return [
    kind ?? 'port',
    ...(macs ? [`only ${macs.join(' ')}`] : []),
    ...(addresses ? [`only ${addresses.join(' ')}`] : []),
    ...(router ? ['router'] : []),
  ].join(', ')
}

function staticTexts({ static: statics }: NetworkSpec): Map<string, string> {
  return new Map(
    statics.map(({ mac, ip, node, remote }) => [mac, `${ip ? `${ip} ` : ''}at ${node ?? remote}`]),
  )
}

function remoteTexts({ remotes, flood }: NetworkSpec): Map<string, string> {
  const text = flood === 'replicate' ? 'gets flooded copies' : 'may send here'
  return new Map(remotes.map((ip) => [ip, text]))
}

function nodeText({ underlay }: NodeSpec): string {
  return underlay ? `${underlay.address}/${underlay.prefix_length} on ${underlay.dev}` : 'no underlay'
}

function networkText({ vni, mode, ports, static: statics }: NetworkSpec): string {
  const members = new Set(ports.map(({ node }) => node)).size
  const macs = statics.length > 0 ? `, ${counted(statics.length, 'static MAC')}` : ''
  return `vni ${vni}, ${mode}, ${counted(members, 'member')}${macs}`
}

function removedNodeText(node: string, { networks }: DesiredTopology): string {
  let ports = 0
  let macs = 0
  for (const network of networks) {
    ports += network.ports.filter((port) => port.node === node).length
    macs += network.static.filter((entry) => entry.node === node).length
  }
  return `takes ${counted(macs, 'static MAC')} and ${counted(ports, 'port')} with it`
}

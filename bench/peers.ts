import {
  bridge,
  bridgeNetfilter,
  type Endpoint,
  type Host,
  ip,
  type Path,
  type Rig,
  type RigKind,
  type RigName,
  removeNamespace,
  sysctl,
} from './rig.js'

const VNI = 10000

/** One veth pair between the endpoints: what the generators and the stack alone can do. */
export const bareRig = peer('bare', (name) => {
  const [a, b] = namespaces([name('a'), name('b')])
  ip(a, [`link add eth0 type veth peer name eth0 netns ${b}`])
  const address = (i: number) => `10.77.0.${i + 1}`
  for (const [i, namespace] of [a, b].entries())
    ip(namespace, [`addr add ${address(i)}/24 dev eth0`, 'link set eth0 up'])
  return { a: { namespace: a, address: address(0) }, b: { namespace: b, address: address(1) } }
})

/** Plain routing, no overlay: what encapsulation costs nothing of. */
export const routingRig = peer('routing', (name) => {
  const { ends, path } = underlay(name)
  const [a, b] = ends.map((namespace, i): Endpoint => {
    const address = `10.77.${i}.2`
    ip(namespace, [
      `addr add ${address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via 10.77.${i}.1`,
    ])
    return { namespace, address }
  })
  for (const [i, { namespace }] of path.hosts.entries()) {
    const other = 1 - i
    sysctl(namespace, { 'net.ipv4.ip_forward': '1' })
    ip(namespace, [
      `addr add 10.77.${i}.1/24 dev port0`,
      `route add 10.77.${other}.0/24 via ${path.hosts[other]!.address}`,
    ])
  }
  return { a: a!, b: b!, path }
})

/** The kernel's bridge and VXLAN device, static FDB and neighbours: no flooding, no learning. */
export const kernelRig = peer('kernel', (name) => bridgeAndVxlan(name))

/** The same as most machines have it: bridged frames go through br_netfilter. */
export const kernelNetfilterRig = peer('kernel-nf', (name) => {
  const rig = bridgeAndVxlan(name)
  for (const { namespace } of rig.path.hosts) bridgeNetfilter(namespace, true)
  return { ...rig, framesOnly: true }
})

function bridgeAndVxlan(name: Naming): Omit<Rig, 'name'> & { readonly path: Path } {
  const { ends, path } = underlay(name)
  const mac = (i: number) => `02:00:00:77:00:0${i + 1}`
  const [a, b] = ends.map((namespace, i): Endpoint => {
    const address = `10.77.0.${i + 1}`
    ip(namespace, [`link set eth0 address ${mac(i)} mtu 1450 up`, `addr add ${address}/24 dev eth0`])
    return { namespace, address }
  })
  for (const [i, { namespace, address }] of path.hosts.entries()) {
    const other = path.hosts[1 - i]!
    ip(namespace, [
      'link add br0 type bridge',
      `link add vx0 type vxlan id ${VNI} local ${address} dstport 4789 nolearning`,
      'link set vx0 master br0 mtu 1450 up',
      'link set port0 master br0 mtu 1450 up',
      'link set br0 mtu 1450 up',
    ])
    bridge(namespace, `fdb append ${mac(1 - i)} dev vx0 dst ${other.address} self static`)
    bridge(namespace, `fdb add ${mac(1 - i)} dev vx0 master static`)
    bridge(namespace, `fdb append 00:00:00:00:00:00 dev vx0 dst ${other.address} self permanent`)
  }
  return { a: a!, b: b!, path: { ...path, vni: VNI } }
}

type Naming = (part: string) => string

const PARTS = ['fabric', 'host0', 'host1', 'a', 'b']

function peer(rig: RigName, build: (name: Naming) => Omit<Rig, 'name'>): RigKind {
  const name: Naming = (part) => `weft-bench-${rig}-${part}`
  const down = () => {
    for (const part of PARTS) removeNamespace(name(part))
  }
  return {
    name: rig,
    async up() {
      down() // what an interrupted run left
      return { name: rig, ...build(name) }
    },
    down,
  }
}

function namespaces<T extends readonly string[]>(names: T): T {
  ip(
    undefined,
    names.map((namespace) => `netns add ${namespace}`),
  )
  for (const namespace of names) {
    bridgeNetfilter(namespace, false)
    ip(namespace, ['link set lo up'])
  }
  return names
}

/** The two hosts and the fabric of a rig, with the endpoints' namespaces plugged in but nothing forwarding yet. */
function underlay(name: Naming): { ends: readonly [string, string]; path: Path } {
  const host = (i: 0 | 1): Host => ({
    namespace: name(`host${i}`),
    address: `172.31.0.${i + 1}`,
    port: 'port0',
    uplink: `h${i}`,
  })
  const hosts: [Host, Host] = [host(0), host(1)]
  const ends: [string, string] = [name('a'), name('b')]
  const fabric = name('fabric')

  namespaces([fabric, ...hosts.map(({ namespace }) => namespace), ...ends])
  ip(fabric, ['link add br0 type bridge', 'link set br0 up'])
  for (const [i, { namespace, address, uplink }] of hosts.entries()) {
    ip(fabric, [
      `link add ${uplink} type veth peer name eth0 netns ${namespace}`,
      `link set ${uplink} master br0 up`,
    ])
    ip(namespace, [`addr add ${address}/24 dev eth0`, 'link set eth0 up'])
    ip(namespace, [`link add port0 type veth peer name eth0 netns ${ends[i]}`, 'link set port0 up'])
  }
  return { ends, path: { hosts, fabric } }
}

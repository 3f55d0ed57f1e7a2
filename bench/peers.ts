import {
  bridge,
  type Endpoint,
  ip,
  type Rig,
  removeNamespace,
  sysctl,
  withoutBridgeNetfilter,
} from './rig.js'

/** The two hosts and the fabric of a rig, with the endpoints' namespaces plugged in but nothing forwarding yet. */
function underlay(rig: string): { hosts: [string, string]; ends: [string, string]; down: () => void } {
  const name = (part: string) => `weft-bench-${rig}-${part}`
  const hosts: [string, string] = [name('host0'), name('host1')]
  const ends: [string, string] = [name('a'), name('b')]
  const fabric = name('fabric')
  const all = [fabric, ...hosts, ...ends]
  const down = () => {
    for (const namespace of all) removeNamespace(namespace)
  }

  down() // what an interrupted run left
  ip(
    undefined,
    all.map((namespace) => `netns add ${namespace}`),
  )
  for (const namespace of all) {
    withoutBridgeNetfilter(namespace)
    ip(namespace, ['link set lo up'])
  }
  ip(fabric, ['link add br0 type bridge', 'link set br0 up'])
  hosts.forEach((host, i) => {
    ip(fabric, [`link add h${i} type veth peer name eth0 netns ${host}`, `link set h${i} master br0 up`])
    ip(host, [`addr add 172.31.0.${i + 1}/24 dev eth0`, 'link set eth0 up'])
    ip(host, [`link add port0 type veth peer name eth0 netns ${ends[i]}`, 'link set port0 up'])
  })
  return { hosts, ends, down }
}

/** Plain routing, no overlay: what encapsulation costs nothing of. */
export function routingRig(): Rig {
  const { hosts, ends, down } = underlay('routing')
  const endpoints = ends.map((namespace, i): Endpoint => {
    const address = `10.77.${i}.2`
    ip(namespace, [
      `addr add ${address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via 10.77.${i}.1`,
    ])
    return { namespace, address }
  })
  hosts.forEach((host, i) => {
    const other = 1 - i
    sysctl(host, { 'net.ipv4.ip_forward': '1' })
    ip(host, [
      `addr add 10.77.${i}.1/24 dev port0`,
      `route add 10.77.${other}.0/24 via 172.31.0.${other + 1}`,
    ])
  })
  return { name: 'routing', a: endpoints[0]!, b: endpoints[1]!, down }
}

/** The kernel's bridge and VXLAN device, static FDB and neighbours: no flooding, no learning. */
export function kernelRig(): Rig {
  const { hosts, ends, down } = underlay('kernel')
  const mac = (i: number) => `02:00:00:77:00:0${i + 1}`
  const endpoints = ends.map((namespace, i): Endpoint => {
    const address = `10.77.0.${i + 1}`
    ip(namespace, [`link set eth0 address ${mac(i)} mtu 1450 up`, `addr add ${address}/24 dev eth0`])
    return { namespace, address }
  })
  hosts.forEach((host, i) => {
    const other = 1 - i
    ip(host, [
      'link add br0 type bridge',
      `link add vx0 type vxlan id 10000 local 172.31.0.${i + 1} dstport 4789 nolearning`,
      'link set vx0 master br0 mtu 1450 up',
      'link set port0 master br0 mtu 1450 up',
      'link set br0 mtu 1450 up',
    ])
    bridge(host, `fdb append ${mac(other)} dev vx0 dst 172.31.0.${other + 1} self static`)
    bridge(host, `fdb add ${mac(other)} dev vx0 master static`)
    bridge(host, `fdb append 00:00:00:00:00:00 dev vx0 dst 172.31.0.${other + 1} self permanent`)
  })
  return { name: 'kernel', a: endpoints[0]!, b: endpoints[1]!, down }
}

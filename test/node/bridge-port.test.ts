import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bridgePair } from '../../src/node/reconcile/bridge-ports.js'
import { type Daemon, ip, Rig, until } from './rig.js'

describe('an existing Linux bridge as port', () => {
  let rig: Rig
  let daemon: Daemon
  const pair = bridgePair('h0', 'br0')
  const on = (args: string) => ip(`-n ${rig.ns('h0')} ${args}`)
  const macOfBridge = () => /link\/ether (\S+)/.exec(on('link show br0'))![1]!
  let bridgeMac: string
  const devices = () => on('-o link show')

  // e0 hangs on br0 of h0, together with a device of the bridge's own.
  beforeAll(async () => {
    rig = await new Rig().build()
    on('link add br0 up type bridge')
    on('link set tap0 address fe:00:00:00:00:01 master br0')
    bridgeMac = macOfBridge()
    rig.run('h0', 'sysctl -q -e -w net.bridge.bridge-nf-call-iptables=0')
    const assignment = rig.controller.assignments.get('h0')!
    const [port] = assignment.ports
    const bridged = { ...port!, interface: 'br0', kind: 'bridge' as const }
    rig.controller.assignments.set('h0', { ...assignment, ports: [bridged] })
    daemon = rig.daemon('h0')
    rig.daemon('h1')
    await rig.settled('h0', 'h1')
  })
  afterAll(() => rig.remove())

  it('reaches the segment, and is shown by its own name', async () => {
    await until('it forwards', () => rig.ping('e0', '10.1.0.2'))
    expect(rig.status('h0').ports).toMatchObject([{ interface: 'br0', state: 'up', mtu: 1500 }])
    expect(on('-d link show br0')).toContain('mtu 1500')
    expect(macOfBridge()).toBe(bridgeMac)
    expect(on(`link show ${pair.plug}`)).toContain('master br0')
  })

  it('keeps its pair while no daemon runs, and the next daemon changes nothing', async () => {
    const before = devices()
    await rig.kill(daemon)
    expect(rig.ping('e0', '10.1.0.2', 3)).toBe(true)
    daemon = rig.daemon('h0')
    await until('it is programmed', () => rig.isReady('h0'))
    expect(devices()).toBe(before)
  })

  it('is plugged in again when somebody took the pair out or away', async () => {
    on(`link set ${pair.plug} nomaster`)
    await until('it forwards', () => rig.ping('e0', '10.1.0.2'))
    on(`link delete ${pair.port}`)
    await until('it forwards again', () => rig.ping('e0', '10.1.0.2'))
    expect(rig.status('h0').repairs['bridge port']).toBeGreaterThanOrEqual(2)
  })

  it('is missed when the bridge goes, and plugged in when it comes back', async () => {
    on('link delete br0')
    await until('it is missed', () => rig.status('h0').failures.some(({ code }) => code === 'W-2104'))
    on('link add br0 up type bridge')
    on('link set tap0 master br0')
    await until('it forwards', () => rig.ping('e0', '10.1.0.2'))
    expect(rig.status('h0').failures).toEqual([])
  })

  it('is unplugged with its declaration, and the bridge stays', async () => {
    const { assignments } = rig.controller
    assignments.set('h0', { ...assignments.get('h0')!, ports: [] })
    rig.controller.publish()
    await until('the pair is gone', () => !devices().includes(pair.port))
    expect(devices()).toContain('br0')
    expect(devices()).not.toContain(pair.plug)
  })
})

it('a device of the same name that is not ours is left alone, and named', async () => {
  const rig = await new Rig().build()
  try {
    const { port } = bridgePair('h0', 'br0')
    ip(`-n ${rig.ns('h0')} link add br0 type bridge`)
    ip(`-n ${rig.ns('h0')} link add ${port} type bridge`)
    const assignment = rig.controller.assignments.get('h0')!
    const bridged = { ...assignment.ports[0]!, interface: 'br0', kind: 'bridge' as const }
    rig.controller.assignments.set('h0', { ...assignment, ports: [bridged] })
    rig.daemon('h0')
    await until('it is said', () => {
      const failures = rig.controller.told.get('h0')?.applied.at(-1)?.failures ?? []
      return failures.some(({ code, message }) => code === 'W-2112' && message.includes(port))
    })
    expect(ip(`-n ${rig.ns('h0')} -d link show ${port}`)).toContain('bridge')
  } finally {
    await rig.remove()
  }
})

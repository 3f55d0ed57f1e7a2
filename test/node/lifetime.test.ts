import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { abiDigest, maps } from '../../src/node/bpf/abi.gen.js'
import { BpfMap } from '../../src/node/bpf/map.js'
import { type Daemon, Rig, until } from './rig.js'

/** Ten seconds: longer than a daemon takes to start on a busy machine. */
const FLOW = 5000

describe('the life of a node daemon', () => {
  let rig: Rig
  let h0: Daemon
  beforeEach(async () => {
    rig = await new Rig().build()
    h0 = rig.daemon('h0')
    rig.daemon('h1')
    await rig.settled('h0', 'h1')
  })
  afterEach(() => rig.remove())

  const links = (host: string) => `${rig.bpffs(host)}/${abiDigest.slice(0, 12)}/links`
  /** What must be the same objects after a restart. */
  const kernel = () => ({
    links: readdirSync(links('h0')).map((name) => [name, statSync(`${links('h0')}/${name}`).ino]),
    device: rig.run('h0', 'ip -o link show weft-vxlan').split(':')[0],
  })

  it('forwards on while it is dead, and touches neither links nor device when it comes back', async () => {
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    await until('both MACs are placed', () => rig.controller.segments.get(7)!.entries.size === 2)
    await rig.settled('h0', 'h1')
    const before = kernel()
    const programs = rig.status('h0').programs.map(({ id }) => id)
    await rig.kill(h0)
    expect(rig.ping('e0', '10.1.0.2', 5)).toBe(true)

    const instance = rig.controller.told.get('h0')!.hello.instance
    rig.daemon('h0')
    await until('it is back', () => rig.controller.told.get('h0')!.hello.instance !== instance)
    await rig.settled('h0')
    expect(kernel()).toEqual(before)
    expect(rig.status('h0').programs.map(({ id }) => id)).toEqual(programs)
    expect(rig.status('h0').repairs).toEqual({})
    await until('its claims are the same', () => rig.controller.told.get('h0')!.claims.length > 0)
    expect(rig.controller.told.get('h0')!.claims[0]).toMatchObject({
      complete: true,
      claims: [{ interface: 'tap0' }],
    })
    expect(rig.controller.segments.get(7)!.entries.size).toBe(2)
  })

  it('ends with 0 on SIGTERM and leaves forwarding as it is', async () => {
    expect(await rig.kill(h0, 'SIGTERM')).toBe(0)
    expect(h0.stderr).toBe('')
    expect(rig.ping('e0', '10.1.0.2', 3)).toBe(true)
  })

  it('ends with 0 on SIGTERM also while it is starting', async () => {
    await rig.kill(h0)
    for (const msg of ['programs loaded', 'serving status and metrics', 'in sync']) {
      const starting = rig.daemon('h0')
      await until('it is so far', () => starting.log.some((line) => line['msg'] === msg))
      expect(await rig.kill(starting, 'SIGTERM')).toBe(0)
      expect(starting.stderr).toBe('')
    }
  })

  it('takes everything of its own away with --detach-on-exit', async () => {
    await rig.kill(h0, 'SIGTERM')
    const last = rig.daemon('h0', ['--detach-on-exit'])
    await until('it has the state', () => last.log.some(({ msg }) => msg === 'in sync'))
    await until('it is programmed', () => rig.isReady('h0'))
    expect(await rig.kill(last, 'SIGTERM')).toBe(0)
    expect(rig.run('h0', 'ip -o link')).not.toContain('weft-vxlan')
    expect(readdirSync(rig.bpffs('h0'))).toEqual([])
  })

  it('forwards on without a controller, and is in sync again when one comes', async () => {
    rig.controller.stop()
    await until('it knows', () => !(JSON.parse(rig.get('h0', '/readyz')) as { connected: boolean }).connected)
    expect(rig.ping('e0', '10.1.0.2', 5)).toBe(true)
    await rig.controller.start()
    await rig.settled('h0', 'h1')
  })

  it('refuses a second daemon in the same namespace, which then ends with 5', async () => {
    const second = rig.daemon('h0', ['--http-listen', ''])
    expect(await second.ended).toBe(5)
    expect(second.stderr).toMatch(
      /^weft-node: W-2004 another weft-node runs in this network namespace\n {2}next: /,
    )
    expect(rig.status('h0').ready).toBe(true)
  })

  it('refuses the bpffs directory of a daemon in another namespace', async () => {
    await rig.kill(h0, 'SIGTERM')
    const second = rig.daemon('h0', ['--bpffs', rig.bpffs('h1')])
    expect(await second.ended).toBe(5)
    expect(second.stderr).toContain('in another network namespace')
  })

  it('loses and duplicates nothing while it is killed and started again', async () => {
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    const flow = rig.flow('e0', '10.1.0.2', FLOW)
    await rig.kill(h0)
    rig.daemon('h0')
    await until('it is programmed', () => rig.isReady('h0'))
    expect(flow.isRunning()).toBe(true)
    expect(await flow.counts).toEqual({ sent: FLOW, received: FLOW, duplicates: 0 })
  })

  it('takes over the links of another build without losing a frame, then removes what that build left', async () => {
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    const before = kernel()
    await rig.kill(h0)
    const own = `${rig.bpffs('h0')}/${abiDigest.slice(0, 12)}`
    const other = `${rig.bpffs('h0')}/0123456789ab`
    renameSync(own, other)
    const flow = rig.flow('e0', '10.1.0.2', FLOW)
    rig.daemon('h0')
    await until('it is programmed', () => existsSync(own) && rig.status('h0').ready)
    await until('the other build is gone', () => !existsSync(other))
    expect(flow.isRunning()).toBe(true)
    expect(kernel()).toEqual(before)
    expect(await flow.counts).toEqual({ sent: FLOW, received: FLOW, duplicates: 0 })
    using learned = BpfMap.open(`${own}/maps/learned`, maps.learned)
    expect(learned.entries()).toHaveLength(1)
  })

  it('runs with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON alone, also when it finds the programs of an earlier run', async () => {
    const through = ['setpriv', '--bounding-set=-all,+bpf,+net_admin,+perfmon', '--inh-caps=-all']
    const restart = async () => {
      await rig.kill(h0)
      h0 = rig.daemon('h0', [], { through })
      await until('it is programmed', () => rig.isReady('h0'))
      expect(rig.status('h0').failures).toEqual([])
    }
    await rig.kill(h0)
    rmSync(rig.bpffs('h0'), { recursive: true })
    rig.run('h0', 'ip link delete weft-vxlan')
    await restart()
    expect(rig.ping('e0', '10.1.0.2', 3)).toBe(true)
    const flow = rig.flow('e0', '10.1.0.2', FLOW)
    await restart()
    expect(flow.isRunning()).toBe(true)
    expect(await flow.counts).toEqual({ sent: FLOW, received: FLOW, duplicates: 0 })
  })

  it('ends with its error, also while it serves HTTP, when what an earlier run left cannot be taken over', async () => {
    await rig.kill(h0)
    const pinned = `${rig.bpffs('h0')}/${abiDigest.slice(0, 12)}/maps`
    renameSync(`${pinned}/ports`, `${pinned}/aside`)
    renameSync(`${pinned}/config`, `${pinned}/ports`)
    const broken = rig.daemon('h0')
    expect(await broken.ended).toBe(1)
    expect(broken.stderr).toMatch(/^weft-node: W-2102 /)
    renameSync(`${pinned}/ports`, `${pinned}/config`)
    renameSync(`${pinned}/aside`, `${pinned}/ports`)
    h0 = rig.daemon('h0')
    await until('it is programmed', () => rig.isReady('h0'))
  })

  it('takes ports, tables and device away when no topology has the node any more', async () => {
    const node = rig.controller.assignments.get('h0')!
    rig.controller.assignments.set('h0', { ...node, underlay_dev: '', ports: [] })
    rig.controller.publish()
    await rig.settled('h0')
    expect(rig.status('h0')).toMatchObject({ ready: true, programs: [], ports: [] })
    expect(readdirSync(links('h0'))).toEqual([])
    expect(rig.run('h0', 'ip -o link')).not.toContain('weft-vxlan')
  })

  it('forwards on, and says so, when it comes back and no topology has the node', async () => {
    expect(rig.ping('e0', '10.1.0.2')).toBe(true)
    await rig.kill(h0)
    const node = rig.controller.assignments.get('h0')!
    rig.controller.assignments.delete('h0')
    h0 = rig.daemon('h0')
    await until('it says so', () => h0.stderr.includes('W-3004'))
    expect(h0.stderr).toContain('what was programmed before goes on forwarding')
    expect(rig.ping('e0', '10.1.0.2', 5)).toBe(true)
    rig.controller.assignments.set('h0', node)
    await rig.settled('h0')
  })

  it('goes on to the next controller when one does not answer', async () => {
    await rig.kill(h0, 'SIGTERM')
    const controllers = `unix:${rig.dir}/nobody.sock,${rig.controller.address}`
    const daemon = rig.daemon('h0', [], { controllers })
    await until('it is in sync', () => daemon.log.some(({ msg }) => msg === 'in sync'))
    expect(daemon.log).toContainEqual(expect.objectContaining({ msg: 'no controller', code: 'W-3009' }))
  })
})

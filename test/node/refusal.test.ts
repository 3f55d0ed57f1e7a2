import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Ip } from '../../src/model/ip.js'
import { ip, Rig, until } from './rig.js'

describe('a node that cannot do what it is asked', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = await new Rig().build()
  })
  afterEach(() => rig.remove())

  const failures = (host: string) => rig.controller.told.get(host)?.applied.at(-1)?.failures ?? []

  it('names the VXLAN device that holds its UDP port, and takes the port when it is free', async () => {
    rig.run('h0', 'ip link add flannel.1 type vxlan external dstport 4789')
    rig.run('h0', 'ip link set flannel.1 up')
    rig.daemon('h0')
    await until('it is reported', () => failures('h0').length > 0)
    expect(failures('h0')).toMatchObject([
      { code: 'W-2103', what: 'device weft-vxlan', message: expect.stringContaining('flannel.1') as string },
    ])
    rig.run('h0', 'ip link delete flannel.1')
    await rig.settled('h0')
  })

  it('names the process that holds its UDP port', async () => {
    const code = `require('dgram').createSocket('udp4').bind(4789)`
    const holder = spawn('nsenter', [`--net=/run/netns/${rig.ns('h0')}`, process.execPath, '-e', code])
    try {
      await until('the port is taken', () => rig.run('h0', 'ss -uln').includes(':4789'))
      rig.daemon('h0')
      await until('it is reported', () => failures('h0').length > 0)
      expect(failures('h0')[0]?.message).toBe(`UDP port 4789 is held by node (process ${holder.pid})`)
    } finally {
      holder.kill('SIGKILL')
    }
    await rig.settled('h0')
  })

  it('leaves a device of its own name alone when that is not its own', async () => {
    rig.run('h0', 'ip link add weft-vxlan type bridge')
    rig.daemon('h0')
    await until('it is reported', () => failures('h0').length > 0)
    expect(failures('h0')).toMatchObject([{ code: 'W-2112' }])
    expect(rig.run('h0', 'ip -d link show weft-vxlan')).toContain('bridge')
  })

  it('says which underlay device or address is missing', async () => {
    ip(`-n ${rig.ns('h0')} address flush dev eth0`)
    rig.daemon('h0')
    await until('it is reported', () => failures('h0').length > 0)
    expect(failures('h0')).toMatchObject([{ code: 'W-2108', what: 'underlay eth0' }])
    ip(`-n ${rig.ns('h0')} link set eth0 down`)
    ip(`-n ${rig.ns('h0')} link set eth0 name uplink0`)
    await until('it is reported', () => failures('h0')[0]?.code === 'W-2105')
  })

  it('says that an IPv6 address which somebody else has too cannot be the VTEP, until it can', async () => {
    const node = rig.controller.assignments.get('h0')!
    rig.controller.assignments.set('h0', { ...node, vtep: 'fd99::1' as Ip })
    rig.run('h1', 'ip address add fd99::1/64 dev eth0 nodad')
    rig.run('h0', 'ip address add fd99::1/64 dev eth0')
    await until('it is found out', () => rig.run('h0', 'ip address show dev eth0').includes('dadfailed'))
    rig.daemon('h0')
    await until('it is reported', () => failures('h0').length > 0)
    expect(failures('h0')).toMatchObject([
      { code: 'W-2108', what: 'underlay eth0', message: expect.stringContaining('duplicate') as string },
    ])
    rig.run('h1', 'ip address delete fd99::1/64 dev eth0')
    rig.run('h0', 'ip address delete fd99::1/64 dev eth0')
    rig.run('h0', 'ip address add fd99::1/64 dev eth0')
    await rig.settled('h0')
  })

  it('makes nothing in the kernel for a name that no topology declares, says so once, and goes on asking', async () => {
    const node = rig.controller.assignments.get('h0')!
    rig.controller.assignments.delete('h0')
    const daemon = rig.daemon('h0')
    await until('it has asked three times', () => rig.controller.hellos.length >= 3)
    expect(daemon.stderr.match(/W-3004.*nothing is programmed until one does/g)).toHaveLength(1)
    expect(daemon.log.filter(({ msg }) => msg === 'no topology declares this node')).toMatchObject([
      { level: 'warn' },
    ])
    expect(rig.run('h0', 'ip -o link')).not.toContain('weft-vxlan')
    expect(readdirSync(rig.bpffs('h0'))).toEqual([])
    rig.controller.assignments.set('h0', node)
    await rig.settled('h0')
  })

  it('ends with 7 and names the capability that it lacks', async () => {
    const lacking = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', process.execPath]
    const daemon = ['--import', 'tsx', 'src/node/main.ts', '--node-name=x', `--bpffs=${rig.dir}/bpf/none`]
    const [program, ...args] = [...lacking, ...daemon]
    const child = spawn(program!, args, { cwd: new URL('../..', import.meta.url) })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk
    })
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(7)
    expect(stderr).toMatch(/^weft-node: W-2001 weft-node needs CAP_NET_ADMIN, /)
    expect(existsSync(`${rig.dir}/bpf/none`)).toBe(false)
  })

  it('starts, with a warning, though a user without rights holds the name that keeps daemons apart', async () => {
    const code = `require('net').createServer().listen('\\0weft-node', () => console.log('held'))`
    const asNobody = ['setpriv', '--reuid=65534', '--clear-groups', process.execPath, '-e', code]
    const stranger = spawn('nsenter', [`--net=/run/netns/${rig.ns('h0')}`, ...asNobody])
    try {
      await new Promise((resolve) => stranger.stdout.once('data', resolve))
      const daemon = rig.daemon('h0')
      await rig.settled('h0')
      expect(daemon.log).toContainEqual(
        expect.objectContaining({ level: 'warn', socket: '@weft-node', pid: stranger.pid, uid: 65534 }),
      )
    } finally {
      stranger.kill('SIGKILL')
    }
  })

  it('asks for a segment whole when what came does not match its hash', async () => {
    rig.daemon('h0')
    await rig.settled('h0')
    let tampered = 0
    rig.controller.tamper = (_, change) => {
      if (change.kind !== 'segment' || tampered++ > 0) return change
      return { ...change, update: { ...change.update, hash: 1n } }
    }
    rig.controller.publish()
    await rig.settled('h0')
    expect(rig.controller.told.get('h0')!.segmentRequests).toEqual([7])
  })
})

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseMac } from '../../src/model/mac.js'
import { listAddresses } from '../../src/node/netlink/address.js'
import { createVxlan, deleteLink, listLinks, readLink, setLink } from '../../src/node/netlink/link.js'
import { type LinkEvent, LinkMonitor } from '../../src/node/netlink/link-monitor.js'
import { enterOwnNetwork, ifindexOf, ip } from './own-network.js'

beforeAll(enterOwnNetwork)

afterEach(async () => {
  for (const link of await listLinks()) if (link.name !== 'lo') await deleteLink(link.ifindex)
})

describe('links', () => {
  it('are listed with kind, MTU, state, MAC, alias and master', async () => {
    ip('link add nl-bridge type bridge')
    ip('link add nl-a mtu 1400 address 02:00:00:00:00:0a type veth peer name nl-b')
    ip('link set nl-a alias somebody up master nl-bridge')

    const link = (await listLinks()).find(({ name }) => name === 'nl-a')

    expect(link).toEqual({
      ifindex: ifindexOf('nl-a'),
      name: 'nl-a',
      kind: 'veth',
      mtu: 1400,
      up: true,
      alias: 'somebody',
      mac: parseMac('02:00:00:00:00:0a'),
      masterIfindex: ifindexOf('nl-bridge'),
      terminates: false,
    })
  })

  it('are read one by one, and a missing one is undefined', async () => {
    const lo = await readLink(1)
    expect(lo).toMatchObject({ name: 'lo', up: true })
    expect(await readLink(4_000_000)).toBeUndefined()
  })

  it('change only in what is given', async () => {
    ip('link add nl-a mtu 1400 type veth peer name nl-b')
    const ifindex = ifindexOf('nl-a')

    await setLink({ ifindex, up: true })
    await setLink({ ifindex, mtu: 1300 })
    await setLink({ ifindex, alias: 'weft' })

    expect(await readLink(ifindex)).toMatchObject({ up: true, mtu: 1300, alias: 'weft' })
    await setLink({ ifindex, up: false })
    expect(await readLink(ifindex)).toMatchObject({ up: false, mtu: 1300, alias: 'weft' })
  })

  it('name the errno and the object when the kernel refuses', async () => {
    await expect(setLink({ ifindex: 4_000_000, up: true })).rejects.toMatchObject({
      code: 'W-2109',
      message: 'change link 4000000: ENODEV',
      details: { errno: 'ENODEV' },
    })
  })

  it('are deleted; deleting the absent is no error', async () => {
    ip('link add nl-a type veth peer name nl-b')
    const ifindex = ifindexOf('nl-a')
    expect(await deleteLink(ifindex)).toBe(true)
    expect(await deleteLink(ifindex)).toBe(false)
  })
})

describe('VXLAN devices', () => {
  it('are made in metadata mode, marked as ours, and read back so', async () => {
    const made = await createVxlan({ name: 'nl-vx', port: 4790, mtu: 1450, alias: 'weft' })

    expect(await readLink(made.ifindex)).toMatchObject({
      name: 'nl-vx',
      kind: 'vxlan',
      mtu: 1450,
      up: false,
      alias: 'weft',
      vxlan: { port: 4790, external: true },
    })
    expect(ip('-d link show nl-vx')).toContain('srcport 49152 65535')
    expect(ip('-d link show nl-vx')).toMatch(
      /vxlan external .*nolearning|vxlan.*external.*dstport 4790.*nolearning/,
    )
  })

  it('of others are listed with their VNI', async () => {
    ip('link add nl-vx type vxlan id 100 dstport 4791 dev lo')
    const link = (await listLinks()).find(({ name }) => name === 'nl-vx')
    expect(link?.vxlan).toEqual({ port: 4791, external: false, vni: 100 })
  })

  it('cannot share a UDP port, and the holder is named', async () => {
    ip('link add theirs type vxlan external dstport 4790')
    await expect(createVxlan({ name: 'nl-vx', port: 4790, mtu: 1450 })).rejects.toMatchObject({
      code: 'W-2103',
      message: 'UDP port 4790, wanted by nl-vx, is held by VXLAN device theirs',
    })
  })

  it('do not come up while a socket holds their UDP port', async () => {
    const holder = createSocket('udp4')
    onTestFinished(() => void holder.close())
    holder.bind(4790, '0.0.0.0')
    await once(holder, 'listening')
    const { ifindex } = await createVxlan({ name: 'nl-vx', port: 4790, mtu: 1450 })

    await expect(setLink({ ifindex, up: true })).rejects.toMatchObject({
      code: 'W-2103',
      message: 'UDP port 4790, wanted by nl-vx, is held by a socket of another program',
    })
  })

  it('report a name that is taken as that, not as a port', async () => {
    ip('link add nl-vx type veth peer name nl-b')
    await expect(createVxlan({ name: 'nl-vx', port: 4790, mtu: 1450 })).rejects.toMatchObject({
      code: 'W-2109',
      details: { errno: 'EEXIST' },
    })
  })
})

describe('addresses', () => {
  it('of both families are listed as canonical text', async () => {
    ip('link add nl-a type veth peer name nl-b')
    ip('addr add 172.16.1.100/24 dev nl-a')
    ip('addr add 10.0.0.1 peer 10.0.0.2/32 dev nl-a')
    ip('link add nl-bridge type bridge')
    const ifindex = ifindexOf('nl-a')

    const own = (await listAddresses()).filter((address) => address.ifindex === ifindex)

    expect(own).toEqual([
      { ifindex, address: '172.16.1.100', prefixLength: 24, tentative: false },
      { ifindex, address: '10.0.0.1', prefixLength: 32, tentative: false },
    ])
  })
})

describe('LinkMonitor', () => {
  function listen(opts?: { receiveBytes: number }): { events: LinkEvent[]; monitor: LinkMonitor } {
    const events: LinkEvent[] = []
    const monitor = new LinkMonitor((event) => events.push(event), opts)
    onTestFinished(() => monitor[Symbol.dispose]())
    return { events, monitor }
  }

  it('tells of links that come, change and go, and of addresses', async () => {
    const { events } = listen()

    ip('link add nl-a type veth peer name nl-b')
    const ifindex = ifindexOf('nl-a')
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'changed', subject: 'link', ifindex }))
    events.length = 0
    ip('addr add 192.0.2.1/24 dev nl-a')
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'changed', subject: 'address', ifindex }))
    events.length = 0
    ip('link del nl-a')
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'changed', subject: 'link', ifindex }))
  })

  it('survives overflow: says once that notifications were lost, and goes on', async () => {
    const { events, monitor } = listen({ receiveBytes: 4096 })
    ip('link add nl-a type veth peer name nl-b')
    const ifindex = ifindexOf('nl-a')

    // execFileSync keeps the event loop from reading meanwhile.
    for (let i = 0; i < 20; i++) ip(`link set nl-a mtu ${1300 + i}`)
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'overflow' }))
    expect(monitor.overflows).toBeGreaterThan(0)

    events.length = 0
    ip('link set nl-a mtu 1400')
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'changed', subject: 'link', ifindex }))
  })

  it('takes any other error of the socket for an overflow, reports it, and goes on', async () => {
    const events: LinkEvent[] = []
    const errors: unknown[] = []
    const monitor = new LinkMonitor((event) => events.push(event), { onError: (error) => errors.push(error) })
    onTestFinished(() => monitor[Symbol.dispose]())
    const inner = monitor as unknown as { fd: number }
    const { fd } = inner
    inner.fd = 1_000_000 // no descriptor

    ip('link add nl-a type veth peer name nl-b')
    const ifindex = ifindexOf('nl-a')
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'overflow' }))
    expect(String(errors[0])).toContain('EBADF')

    inner.fd = fd
    await vi.waitFor(
      () => expect(events).toContainEqual({ kind: 'changed', subject: 'link', ifindex }),
      10_000,
    )
  })

  it('survives a listener that throws', async () => {
    const errors: unknown[] = []
    let told = 0
    const monitor = new LinkMonitor(
      () => {
        told++
        throw new Error('no')
      },
      { onError: (error) => errors.push(error) },
    )
    onTestFinished(() => monitor[Symbol.dispose]())

    ip('link add nl-a type veth peer name nl-b')
    await vi.waitFor(() => expect(told).toBeGreaterThan(0))
    const before = told
    ip('link set nl-a mtu 1400')
    await vi.waitFor(() => expect(told).toBeGreaterThan(before))
    expect(errors).toHaveLength(told)
  })
})

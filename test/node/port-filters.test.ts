import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseMac } from '../../src/model/mac.js'
import { abiDigest, maps, PortFlag } from '../../src/node/bpf/abi.gen.js'
import { BpfMap } from '../../src/node/bpf/map.js'
import { Rig, until } from './rig.js'

let rig: Rig
beforeAll(async () => {
  rig = await new Rig().build()
  rig.daemon('h0')
  await rig.settled('h0')
})
afterAll(() => rig.remove())

it('who may speak on a port is written, repaired, and taken away with the declaration', async () => {
  const pins = `${rig.bpffs('h0')}/${abiDigest.slice(0, 12)}/maps`
  using macs = BpfMap.open(`${pins}/allowed_macs`, maps.allowed_macs)
  using ips = BpfMap.open(`${pins}/allowed_ips`, maps.allowed_ips)
  using ports = BpfMap.open(`${pins}/ports`, maps.ports)
  const flags = () => ports.entries()[0]![1].flags
  const plain = rig.controller.assignments.get('h0')!
  const filters = PortFlag.PORT_FILTER_MAC | PortFlag.PORT_FILTER_IP
  expect([macs.entries(), ips.entries(), flags() & filters]).toEqual([[], [], 0])

  const mac = parseMac('02:00:00:00:00:01')!
  const subnets = Array.from({ length: 300 }, (_, i) => `10.${i % 256}.${i >> 8}.0/24`)
  const [port] = plain.ports
  const guarded = { ...port!, allowed_macs: [mac], allowed_ips: [...subnets, 'fd01::/64'] }
  rig.controller.assignments.set('h0', { ...plain, ports: [guarded] })
  rig.controller.publish()
  await rig.settled('h0')
  const [{ ifindex }] = ports.entries()[0]!
  expect(macs.entries()).toEqual([[{ ifindex, mac }, { flags: 0 }]])
  expect(ips.entries()).toHaveLength(302)
  expect(flags() & filters).toBe(filters)

  for (const [key] of ips.entries()) ips.delete(key)
  await until('they are written again', () => ips.entries().length === 302)

  rig.controller.assignments.set('h0', plain)
  rig.controller.publish()
  await rig.settled('h0')
  expect([macs.entries(), ips.entries(), flags() & filters]).toEqual([[], [], 0])
})

import { describe, expect, it } from 'vitest'
import type { NodeItem, TunnelItem } from '../../src/api/items.js'
import { eventually, labUp, weft } from './harness.js'

const lab = labUp('bridge-unicast.yaml', 'wt-pathmtu')

/** The device of the fabric's bridge that a host hangs on. */
async function fabricPort(host: string): Promise<string> {
  const [device] = JSON.parse(await lab().must(host, 'ip', '-j', 'link', 'show', 'dev', 'eth0'))
  const ports = JSON.parse(await lab().must('fabric', 'ip', '-j', 'link', 'show', 'type', 'veth'))
  return ports.find((port: { ifindex: number }) => port.ifindex === device.link_index).ifname
}

async function path(node: string, peer: string): Promise<Partial<TunnelItem> | undefined> {
  const [found] = await lab().list<TunnelItem>('tunnels', { node, peer, network: 'red' })
  if (!found) return undefined
  const { path_state, path_mtu, wanted_mtu, rtt_us } = found
  return { path_state, path_mtu, wanted_mtu, rtt_us }
}

const isSeen = (what: object) => async () =>
  expect.objectContaining(what).asymmetricMatch(await path('host0', 'host2'))

describe('the path between two VTEPs', () => {
  it('is known to carry the full size, and how long the way there and back takes', async () => {
    expect(await lab().ping('r0', lab().address('r2'))).toBe(3)
    await eventually('the path is known', isSeen({ path_state: 'ok', path_mtu: 1450, wanted_mtu: 1450 }))
    expect((await path('host0', 'host2'))!.rtt_us).toBeGreaterThan(0)
  })

  it('that silently loses large frames is found out, to the byte, and said by node and command', async () => {
    await lab().must('fabric', 'ip', 'link', 'set', await fabricPort('host2'), 'mtu', '1400')
    // A bridge lets through what is a VLAN tag larger than the port's MTU.
    await eventually(
      'the path is found too small',
      isSeen({ path_state: 'too_small', path_mtu: 1354, wanted_mtu: 1450 }),
      60_000,
    )
    const { stdout } = await weft(lab(), 'get', 'tunnels', '-o', 'wide', '--node', 'host0')
    expect(stdout).toContain('1354 of 1450: the underlay carries 1404, needs 1500 = 1450 + 50')

    const [host0] = await lab().list<NodeItem>('nodes', { name: 'host0' })
    expect(host0!.failures).toMatchObject([{ code: 'W-2122', what: 'path to 172.16.1.102' }])
    const status = await weft(lab(), 'status')
    expect(status.code).toBe(1)
    expect(status.stdout).toContain('W-2122')
    expect(await path('host0', 'host1')).toMatchObject({ path_state: 'ok', path_mtu: 1450 })
  })

  it('is well again when the fabric is', async () => {
    await lab().must('fabric', 'ip', 'link', 'set', await fabricPort('host2'), 'mtu', '1500')
    await eventually('the path is known again', isSeen({ path_state: 'ok', path_mtu: 1450 }), 60_000)
    await eventually('no failure is left', async () => {
      const [host0] = await lab().list<NodeItem>('nodes', { name: 'host0' })
      return host0!.failures.length === 0
    })
  })
})

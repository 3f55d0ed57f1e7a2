import { describe, expect, it } from 'vitest'
import { runCheck } from '../../src/lab/checks/check.js'
import { parseLabSource } from '../../src/lab/topology-file.js'
import { labUp, topologyText } from './harness.js'
import { capture } from './traffic.js'

const overIpv6 = (text: string) => text.replace(/172\.16\.1\.(\d+)\/24/g, '"fd00:16::$1/64"')
const lab = labUp('bridge-unicast.yaml', 'wt-six', overIpv6)

describe('a fabric that has IPv6 only', () => {
  const { lab: spec } = parseLabSource('bridge-unicast.yaml', overIpv6(topologyText('bridge-unicast.yaml')))

  it.each(spec.checks)('passes the check: $name', async (check) => {
    const outcome = await runCheck(check, lab().record, new AbortController().signal)
    expect(outcome.detail).not.toBe('')
    expect(outcome).toMatchObject({ ok: true })
  })

  it('leaves 1430 bytes to the networks, on every device', async () => {
    for (const [member, device] of [
      ['r0', 'eth0'],
      ['host0', 'tap0'],
      ['host0', 'weft-vxlan'],
    ] as const)
      expect(await lab().must(member, 'ip', 'link', 'show', 'dev', device)).toContain(' mtu 1430 ')
  })

  it('carries the tunnels, and nothing goes by IPv4', async () => {
    const tunnelled = await capture(lab(), 'host0', 'eth0', 'udp port 4789', async () => {
      expect(await lab().ping('r0', lab().address('r2', 4))).toBe(3)
      expect(await lab().ping('r0', lab().address('r2', 6))).toBe(3)
    })
    expect(tunnelled).toMatch(/fd00:16::100\.\d+ > fd00:16::102\.4789: .*VXLAN/)
    const outer = tunnelled.split('\n').filter((line) => line.includes('.4789:'))
    expect(outer.filter((line) => !line.includes('fd00:16::'))).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { runCheck } from '../../src/lab/checks/check.js'
import { parseLabSource } from '../../src/lab/topology-file.js'
import { labUp, topologyText } from './harness.js'
import { capture, countCopies, sendFrames } from './traffic.js'

const lab = labUp('bridges.yaml', 'wt-bridges')
const frames = 200
const exactly = { distinct: frames, total: frames, most: 1 }

describe('two Linux bridges that were there before, joined to one network', () => {
  const { lab: spec } = parseLabSource('bridges.yaml', topologyText('bridges.yaml'))

  it.each(spec.checks)('pass the check: $name', async (check) => {
    const outcome = await runCheck(check, lab().record, new AbortController().signal)
    expect(outcome.detail).not.toBe('')
    expect(outcome).toMatchObject({ ok: true })
  })

  it.each(['desk0', 'desk2', 'printer'])(
    'carry a broadcast of %s to everybody else on both, once',
    async (from) => {
      const others = lab()
        .record.endpoints.map(({ name }) => name)
        .filter((name) => name !== from)
      const counted = await countCopies(lab(), others, () =>
        sendFrames(lab(), from, { to: 'ff:ff:ff:ff:ff:ff', count: frames }),
      )
      expect(counted).toEqual(Object.fromEntries(others.map((name) => [name, exactly])))
    },
  )

  it('keep what two behind the same bridge say to each other to themselves', async () => {
    expect(await lab().ping('desk0', lab().address('desk1'))).toBe(3)
    const crossed = await capture(lab(), 'host0', 'eth0', 'udp port 4789', async () => {
      expect(await lab().ping('desk0', lab().address('desk1'), { count: 20 })).toBe(20)
    })
    expect(crossed).not.toMatch(/ICMP echo/)
  })

  it('keep the MTU that what is behind them gives them', async () => {
    const read = async (device: string) =>
      JSON.parse(await lab().must('host0', 'ip', '-j', '-d', 'link', 'show', device)) as [
        { mtu: number; linkinfo: { info_kind: string } },
      ]
    const [bridge] = await read('br0')
    const [port] = await read('desk0')
    expect(bridge.linkinfo.info_kind).toBe('bridge')
    expect(bridge.mtu).toBe(port.mtu)
  })
})

import { beforeAll, describe, expect, it } from 'vitest'
import { labUp } from './harness.js'
import { addKernelVtep, address, address6, offloadsOff, overUnderlay, underlays } from './kernel-vtep.js'
import { capture, countCopies, sendFrames } from './traffic.js'
import { onTheWire, thousandPings, transferWhole } from './wire.js'

describe.each(underlays('wt-group'))('over $family, in a multicast group of the underlay:', (underlay) => {
  const group = underlay.prefix.includes(':') ? 'ff05::1:1' : '239.1.1.1'
  const lab = labUp('./interop.yaml', underlay.name, (text) =>
    overUnderlay(underlay)(text)
      .replace('mode: unicast', `mode: multicast\n    group: "${group}"`)
      .replace(/ +static:\n.*\n/, ''),
  )

  // Knows nobody: it learns from frames, and sends what it does not know to the group.
  beforeAll(() => addKernelVtep(underlay, `group ${group} ttl 4 learning`))

  describe('a kernel VXLAN device that learns', () => {
    it.each([
      ['r0', 'peer', address],
      ['r1', 'peer', address6],
      ['peer', 'r1', '99.1.0.2'],
      ['peer', 'r0', 'fd00:99:1::1'],
    ])('answers or asks a thousand times without a loss: %s to %s at %s', async (from, _, target) => {
      expect(await thousandPings(lab(), from, target)).toBe(1000)
    })

    it('has learned which node has which MAC, and the nodes where it is itself', async () => {
      const learned = await lab().must('peer', 'bridge', 'fdb', 'show', 'dev', 'vx0')
      expect(learned).toContain(`02:00:00:01:00:01 dst ${underlay.prefix}100`)
      expect(learned).toContain(`02:00:00:01:00:02 dst ${underlay.prefix}101`)
      const flooded = await capture(lab(), 'r1', 'eth0', 'icmp', () => lab().ping('r0', address))
      expect(flooded).toBe('')
    })

    it('gets a broadcast once, and endpoints get its broadcast once', async () => {
      const exactly = { distinct: 100, total: 100, most: 1 }
      const all = 'ff:ff:ff:ff:ff:ff'
      const out = await countCopies(lab(), ['r1'], () => sendFrames(lab(), 'r0', { to: all, count: 100 }))
      expect(out).toEqual({ r1: exactly })
      const probe = (from: string) => lab().run(from, 'ping', '-c', '1', '-W', '0.2', '99.1.0.200')
      const toPeer = await capture(lab(), 'peer', 'vx0', 'arp', () => probe('r0'))
      expect(toPeer.match(/who-has 99\.1\.0\.200/g)).toHaveLength(1)
      for (const name of ['r0', 'r1']) {
        const back = await capture(lab(), name, 'eth0', 'arp', () => probe('peer'))
        expect(back.match(/who-has 99\.1\.0\.200/g)).toHaveLength(1)
      }
    })
  })

  describe('with all offloads off, on the wire', () => {
    beforeAll(() => offloadsOff(lab()))

    it.each([
      ['r0', 'peer', address],
      ['r0', 'peer', address6],
      ['peer', 'r0', '99.1.0.1'],
      ['peer', 'r0', 'fd00:99:1::1'],
    ])('TCP from %s to %s at %s is well formed and whole', async (from, to, target) => {
      const seen = await onTheWire(lab(), () => transferWhole(lab(), from, to, target))
      expect(seen.match(/cksum 0x[0-9a-f]{4} \(correct\)/g)?.length).toBeGreaterThan(100)
    })

    it('what goes to the group is well formed too', async () => {
      const seen = await onTheWire(lab(), () =>
        lab().run('r0', 'ping', '-c', '3', '-i', '0.1', '-W', '0.2', '99.1.0.200'),
      )
      expect(seen).toMatch(new RegExp(`${group.replaceAll('.', '\\.')}\\.4789: .*VXLAN`))
      expect(seen.match(/who-has 99\.1\.0\.200/g)?.length).toBeGreaterThan(0)
    })
  })
})

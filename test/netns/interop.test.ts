import { beforeAll, describe, expect, it } from 'vitest'
import { labUp } from './harness.js'
import {
  addKernelVtep,
  address,
  address6,
  appendFdb,
  offloadsOff,
  overUnderlay,
  underlays,
} from './kernel-vtep.js'
import { capture } from './traffic.js'
import { onTheWire, thousandPings, transferWhole } from './wire.js'

describe.each(underlays('wt-interop'))('over $family:', (underlay) => {
  const { mtu, prefix } = underlay
  const lab = labUp('./interop.yaml', underlay.name, overUnderlay(underlay))

  // No learning, a static entry for each MAC, and copies of BUM to both nodes.
  beforeAll(async () => {
    await addKernelVtep(underlay, 'nolearning')
    for (const [mac, host] of [
      ['00:00:00:00:00:00', 100],
      ['00:00:00:00:00:00', 101],
      ['02:00:00:01:00:01', 100],
      ['02:00:00:01:00:02', 101],
    ] as const)
      await appendFdb(underlay, mac, host)
  })

  describe('a kernel VXLAN device with a static table', () => {
    it('is reached from endpoints on both nodes', async () => {
      for (const from of ['r0', 'r1']) {
        expect(await lab().ping(from, address, { count: 10 })).toBe(10)
        expect(await lab().ping(from, address6, { count: 10 })).toBe(10)
      }
    })

    it('reaches endpoints on both nodes', async () => {
      await lab().must('peer', 'ip', 'neigh', 'flush', 'dev', 'vx0')
      for (const to of ['r0', 'r1']) {
        expect(await lab().ping('peer', lab().address(to, 4), { count: 10 })).toBe(10)
        expect(await lab().ping('peer', lab().address(to, 6), { count: 10 })).toBe(10)
      }
    })

    it.each([
      ['r0', 'peer', address],
      ['r1', 'peer', address6],
      ['peer', 'r1', '99.1.0.2'],
      ['peer', 'r0', 'fd00:99:1::1'],
    ])('answers or asks a thousand times without a loss: %s to %s at %s', async (from, _, target) => {
      expect(await thousandPings(lab(), from, target)).toBe(1000)
    })

    it('gets a broadcast once, and endpoints get its broadcast once', async () => {
      const probe = (from: string) => lab().run(from, 'ping', '-c', '1', '-W', '0.2', '99.1.0.200')
      const out = await capture(lab(), 'peer', 'vx0', 'arp', () => probe('r0'))
      expect(out.match(/who-has 99\.1\.0\.200/g)).toHaveLength(1)
      const back = await capture(lab(), 'r0', 'eth0', 'arp', () => probe('peer'))
      expect(back.match(/who-has 99\.1\.0\.200/g)).toHaveLength(1)
    })

    it('passes full-size packets and no larger ones', async () => {
      const ping = (size: number) =>
        lab().run('peer', 'ping', '-M', 'do', '-c', '1', '-W', '1', '-s', `${size}`, lab().address('r0'))
      expect((await ping(mtu - 28)).code).toBe(0)
      expect((await ping(mtu - 27)).code).not.toBe(0)
    })
  })

  describe('with all offloads off, on the wire', () => {
    beforeAll(() => offloadsOff(lab()))

    it.each([
      ['r0', 'peer', address],
      ['r0', 'peer', address6],
      ['peer', 'r0', '99.1.0.1'],
      ['peer', 'r0', 'fd00:99:1::1'],
    ])('every checksum of TCP from %s to %s at %s is right', async (from, to, target) => {
      const seen = await onTheWire(lab(), () => transferWhole(lab(), from, to, target))
      expect(seen.match(/cksum 0x[0-9a-f]{4} \(correct\)/g)?.length).toBeGreaterThan(100)
    })

    it('every checksum of ICMP and ICMPv6 is right', async () => {
      const seen = await onTheWire(lab(), async () => {
        expect(await lab().ping('r0', address)).toBe(3)
        expect(await lab().ping('r0', address6)).toBe(3)
        expect(await lab().ping('peer', lab().address('r0', 6))).toBe(3)
      })
      expect(seen).toMatch(/ICMP echo request/)
      // IPv6 has no header checksum, so UDP's must be there (RFC 8200 8.1).
      expect(seen).toMatch(prefix.includes(':') ? /\[udp sum ok\] VXLAN/ : /\[no cksum\] VXLAN/)
    })
  })
})

import { beforeAll, describe, expect, it } from 'vitest'
import { transferTcp } from '../../src/lab/checks/tcp.js'
import { must } from '../../src/lab/command.js'
import { ipBatch } from '../../src/lab/ip-batch.js'
import { namespaceMark, namespaceOf } from '../../src/lab/names.js'
import { labUp } from './harness.js'
import { capture } from './traffic.js'

const address = '99.1.0.77'
const address6 = 'fd00:99:1::77'

interface Underlay {
  readonly family: string
  readonly name: string
  /** Of the networks: 1500 less the headers of the tunnel. */
  readonly mtu: number
  /** Of the fabric's VTEPs, all but the number of the host. */
  readonly prefix: string
  readonly prefixLength: number
}

const underlays: Underlay[] = [
  { family: 'IPv4', name: 'wt-interop', mtu: 1450, prefix: '172.16.1.', prefixLength: 24 },
  { family: 'IPv6', name: 'wt-interop6', mtu: 1430, prefix: 'fd00:16::', prefixLength: 64 },
]

describe.each(underlays)('over $family:', ({ name, mtu, prefix, prefixLength }) => {
  const lab = labUp('./interop.yaml', name, (text) =>
    text.replace(/172\.16\.1\.(\d+)(\/24)?/g, (_, host, length) =>
      length ? `"${prefix}${host}/${prefixLength}"` : `"${prefix}${host}"`,
    ),
  )

  // A VTEP as anyone would make it by hand: no learning, a static entry for each MAC, and copies of BUM to both nodes.
  beforeAll(async () => {
    const peer = namespaceOf(name, 'peer')
    const fabric = namespaceOf(name, 'fabric')
    await ipBatch([
      `netns add ${peer}`,
      `link add eth0 netns ${peer} type veth peer name peer0 netns ${fabric}`,
    ])
    await ipBatch(['link set peer0 master br0 up'], { namespace: fabric })
    const nodad = prefix.includes(':') ? 'nodad' : ''
    await ipBatch(
      [
        `link set lo alias ${namespaceMark(name)}`,
        'link set lo up',
        'link set eth0 up',
        `addr add ${prefix}77/${prefixLength} dev eth0 ${nodad}`,
        `link add vx0 address 02:00:00:01:00:77 type vxlan id 10000 dstport 4789 local ${prefix}77 dev eth0 nolearning`,
        `link set vx0 mtu ${mtu}`,
        'link set vx0 addrgenmode none',
        'link set vx0 up',
        `addr add ${address}/24 dev vx0`,
        `addr add ${address6}/64 dev vx0 nodad`,
      ],
      { namespace: peer },
    )
    for (const [mac, host] of [
      ['00:00:00:00:00:00', 100],
      ['00:00:00:00:00:00', 101],
      ['02:00:00:01:00:01', 100],
      ['02:00:00:01:00:02', 101],
    ] as const)
      await must(['bridge', '-n', peer, 'fdb', 'append', mac, 'dev', 'vx0', 'dst', `${prefix}${host}`])
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
    beforeAll(async () => {
      for (const [member, device] of [
        ['r0', 'eth0'],
        ['host0', 'eth0'],
        ['host0', lab().endpoint('r0').interface],
        ['peer', 'eth0'],
        ['peer', 'vx0'],
      ] as const)
        await lab().must(
          member,
          'ethtool',
          '-K',
          device,
          'tx',
          'off',
          'rx',
          'off',
          'tso',
          'off',
          'gso',
          'off',
          'gro',
          'off',
        )
    })

    it.each([
      ['r0', 'peer', address],
      ['r0', 'peer', address6],
      ['peer', 'r0', '99.1.0.1'],
      ['peer', 'r0', 'fd00:99:1::1'],
    ])('every checksum of TCP from %s to %s at %s is right', async (from, to, target) => {
      const seen = await capture(lab(), 'peer', 'eth0', 'udp port 4789', async () => {
        const transfer = await transferTcp({
          from: namespaceOf(name, from),
          to: namespaceOf(name, to),
          address: target,
          seconds: 1,
          bitsPerSecond: 5_000_000,
        })
        expect(transfer.failure).toBeUndefined()
        expect(transfer.bytes).toBeGreaterThan(100_000)
      })
      expect(seen.match(/cksum 0x[0-9a-f]{4} \(correct\)/g)?.length).toBeGreaterThan(100)
      expect(seen.split('\n').filter((line) => /incorrect|bad .*(cksum|csum)/.test(line))).toEqual([])
    })

    it('every checksum of ICMP and ICMPv6 is right', async () => {
      const seen = await capture(lab(), 'peer', 'eth0', 'udp port 4789', async () => {
        expect(await lab().ping('r0', address)).toBe(3)
        expect(await lab().ping('r0', address6)).toBe(3)
        expect(await lab().ping('peer', lab().address('r0', 6))).toBe(3)
      })
      expect(seen).toMatch(/ICMP echo request/)
      // IPv6 has no header checksum, so UDP's must be there (RFC 8200 8.1).
      expect(seen).toMatch(prefix.includes(':') ? /\[udp sum ok\] VXLAN/ : /\[no cksum\] VXLAN/)
      expect(seen.split('\n').filter((line) => /incorrect|wrong|bad .*(cksum|csum)/.test(line))).toEqual([])
    })
  })
})

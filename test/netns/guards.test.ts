import { describe, expect, it } from 'vitest'
import { eventually, labUp, weft } from './harness.js'
import { capture, countCopies, sendFrames, sendGarp, sendRaw } from './traffic.js'

const lab = labUp('./guards.yaml', 'wt-guards')

/** Ethernet, IPv6 from fe80::2 to ff02::1 with hop limit 255, ICMPv6 type 134 with its checksum. */
const routerAdvertisement = (mac: string) =>
  '333300000001' +
  mac.replaceAll(':', '') +
  '86dd' +
  '6000000000103aff' +
  'fe800000000000000000000000000002' +
  'ff020000000000000000000000000001' +
  `8600${checksum()}` +
  '400007080000000000000000'

describe('a port with guards', () => {
  it('carries what is allowed on it', async () => {
    for (const family of [4, 6] as const) {
      expect(await lab().ping('mallory', lab().address('bob', family))).toBe(3)
      expect(await lab().ping('bob', lab().address('mallory', family))).toBe(3)
    }
  })

  it('drops frames under a MAC that is not its own', async () => {
    const broadcast = 'ff:ff:ff:ff:ff:ff'
    await nothingArrives(() =>
      sendFrames(lab(), 'mallory', { source: '02:00:00:0b:ad:01', to: broadcast, count: 5 }),
    )
    await dropped('spoofed_mac')
  })

  it('drops packets from an address that is not its own, and ARP for one', async () => {
    const { mac } = lab().endpoint('mallory')
    const seen = await capture(lab(), 'bob', 'eth0', `ether src ${mac}`, async () => {
      await sendGarp(lab(), 'mallory', mac, '99.1.0.3')
      await lab().must('mallory', 'ip', 'addr', 'add', '99.1.0.66/24', 'dev', 'eth0')
      await lab().run('mallory', 'ping', '-c', '1', '-W', '0.3', '-I', '99.1.0.66', lab().address('bob'))
      await lab().must('mallory', 'ip', 'addr', 'del', '99.1.0.66/24', 'dev', 'eth0')
    })
    expect(seen).not.toMatch(/tell 99\.1\.0\.3|99\.1\.0\.66/)
    await dropped('spoofed_ip')
  })

  it('lets no VXLAN of a tenant through to a VTEP', async () => {
    const host1 = '172.16.1.101'
    const { mac } = lab().endpoint('bob')
    await lab().must('eve', 'ip', 'route', 'add', host1, 'dev', 'eth0')
    await lab().must('eve', 'ip', 'neigh', 'add', host1, 'lladdr', mac, 'dev', 'eth0')
    const seen = await capture(lab(), 'bob', 'eth0', 'udp port 4789', () =>
      lab().must('eve', 'bash', '-c', `echo tunnel >/dev/udp/${host1}/4789`),
    )
    expect(seen).toBe('')
    await dropped('tenant_vxlan')
  })

  it('keeps control frames of bridges on their link', async () => {
    await nothingArrives(() => sendFrames(lab(), 'eve', { to: '01:80:c2:00:00:02', count: 5 }))
    await dropped('link_local')
  })

  it('takes router advertisements from routers only', async () => {
    const advertisements = (from: string, at: string) =>
      capture(lab(), at, 'eth0', 'icmp6 and ip6[40] == 134', () =>
        sendRaw(lab(), from, routerAdvertisement(lab().endpoint(from).mac)),
      )
    expect(await advertisements('eve', 'bob')).toBe('')
    await dropped('ra_guard')
    expect(await advertisements('bob', 'eve')).toMatch(/router advertisement/)
  })

  it('learns no more MACs than it may, and takes no frames of the others', async () => {
    expect(await lab().ping('eve', lab().address('bob'))).toBe(3)
    for (let n = 0; n < 8; n++) {
      await sendFrames(lab(), 'eve', { source: `02:00:00:0e:0e:0${n}`, to: lab().endpoint('bob').mac })
    }
    await dropped('mac_limit')
    expect(await lab().ping('eve', lab().address('bob'))).toBe(3) // who was there before is not pushed out
  })

  it('floods no more than it may, and carries the rest', async () => {
    const counted = await countCopies(lab(), ['bob'], async () => {
      await sendFrames(lab(), 'eve', { to: 'ff:ff:ff:ff:ff:ff', count: 1000 })
      expect(await lab().ping('eve', lab().address('bob'))).toBe(3)
    })
    expect(counted['bob']?.total).toBeGreaterThan(50)
    expect(counted['bob']?.total).toBeLessThan(1000)
    await dropped('bum_limit')
  })
})

async function nothingArrives(work: () => Promise<unknown>): Promise<void> {
  const nothing = { distinct: 0, total: 0, most: 0 }
  expect(await countCopies(lab(), ['bob'], work)).toEqual({ bob: nothing })
}

/** The user finds it where drops are shown. */
async function dropped(reason: string): Promise<void> {
  await eventually(`${reason} is among the drops`, async () => {
    const { stdout } = await weft(lab(), 'get', 'drops', '--node', 'host0')
    return new RegExp(`^host0 +red +10000 +port_ingress +${reason} `, 'm').test(stdout)
  })
}

/** Of the ICMPv6 message, over its pseudo header (RFC 4443 2.3). */
function checksum(): string {
  const words =
    'fe800000000000000000000000000002ff020000000000000000000000000001' +
    '000000100000003a' +
    '86000000400007080000000000000000'
  let sum = 0
  for (const word of words.match(/.{4}/g) ?? []) sum += Number.parseInt(word, 16)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return (~sum & 0xffff).toString(16).padStart(4, '0')
}

import { describe, expect, it } from 'vitest'
import { parseMac } from '../../model/mac.js'
import { plainPort } from '../../model/segment.fixture.js'
import { AllowedFlag } from '../bpf/abi.gen.js'
import { wantedAllowedIps, wantedAllowedMacs } from './allowed.js'
import type { PlacedPort } from './placement.js'

const mac = parseMac('02:00:00:00:00:01')!
const port: PlacedPort = {
  ...plainPort('tap0', 7),
  allowed_macs: [mac],
  allowed_ips: ['10.1.0.0/24', 'fd01::1/128'],
  ifindex: 4,
  mtu: 1450,
  device: { ifindex: 4, name: 'tap0', mtu: 1450, up: true },
}
const room = { node: 'host0', most: 100 }
const open: PlacedPort = { ...port, ...plainPort('tap1', 7), ifindex: 5 }

describe('who may speak on a port', () => {
  it('is each MAC that it names', () => {
    expect(wantedAllowedMacs([port, open], room).entries).toEqual([[{ ifindex: 4, mac }, { flags: 0 }]])
  })

  it('is each subnet that it names, an IPv4 one as mapped, after the 32 bits of the device', () => {
    expect(wantedAllowedIps([port, open], room).entries).toEqual([
      [{ prefixLength: 32 + 96, ifindex: 4, ip: '0.0.0.0' }, { flags: AllowedFlag.ALLOWED_NOT }],
      [{ prefixLength: 32 + 96 + 24, ifindex: 4, ip: '10.1.0.0' }, { flags: 0 }],
      [{ prefixLength: 32 + 128, ifindex: 4, ip: 'fd01::1' }, { flags: 0 }],
    ])
  })

  it('is all of IPv4 only when that is said: ::/0 does not say it', () => {
    const notIpv4 = ({ allowed_ips: ips }: Pick<PlacedPort, 'allowed_ips'>) =>
      wantedAllowedIps([{ ...port, allowed_ips: ips }], room).entries.filter(([, { flags }]) => flags !== 0)
        .length
    expect(notIpv4({ allowed_ips: ['::/0'] })).toBe(1)
    expect(notIpv4({ allowed_ips: ['::/0', '0.0.0.0/0'] })).toBe(0)
  })

  it('is left out, and said, for a port whose list does not fit whole; smaller ones still do', () => {
    const narrow = { ...room, most: 4 }
    const small = { ...port, ...plainPort('tap2', 7), ifindex: 6, allowed_ips: ['0.0.0.0/0'] }
    const { entries, failures } = wantedAllowedIps([port, { ...port, interface: 'tap1' }, small], narrow)
    expect(entries.map(([{ ifindex }]) => ifindex)).toEqual([4, 4, 4, 6])
    expect(failures).toMatchObject([{ code: 'W-2106', what: 'port host0/tap1' }])
  })
})

import { describe, expect, it } from 'vitest'
import type { Ip } from '../../model/ip.js'
import { plainNetwork } from '../../model/segment.fixture.js'
import { MemoryControl } from './memory-control.fixture.js'
import { Observed } from './observed.js'

const vtep = '172.16.1.101' as Ip
const start = Date.now()

function report(control: MemoryControl, second: number, packets: number, drops: number | undefined): void {
  const tunnel = {
    tx_bytes: 0,
    tx_flooded: 0,
    rx_packets: 0,
    rx_bytes: 0,
    rx_flooded: 0,
    tx_fast: 0,
    rx_fast: 0,
  }
  const verdict = { vni: 5, program: 'port_ingress', reason: 'drop_malformed', bytes: 0 }
  control.nodeList = [
    {
      name: 'host0',
      declared: true,
      connected: true,
      sent_revision: 1n,
      applied_revision: 1n,
      failures: [],
      report_at: new Date(start + second * 1000).toISOString(),
      report: {
        tunnels: [{ vni: 5, vtep, tx_packets: packets, ...tunnel }],
        verdicts: drops === undefined ? [] : [{ ...verdict, packets: drops }],
        ports: [],
        programs: [],
        maps: [],
        events_lost: 0,
        losses: [],
        paths: [],
        tunnel_mtu: 0,
      },
    },
  ]
}

describe('Observed', () => {
  it('rates a tunnel once two reports of its node have come', () => {
    const control = new MemoryControl()
    const observed = new Observed(control)
    report(control, 0, 10, undefined)
    observed.sample()
    observed.sample() // the same report once more
    expect(observed.tunnelRate('host0', 5, vtep)).toBeUndefined()
    report(control, 2, 30, undefined)
    observed.sample()
    expect(observed.tunnelRate('host0', 5, vtep)).toMatchObject({ tx_packets: 10, rx_packets: 0 })
  })

  it('rates the first drops of a kind from the report that had none', () => {
    const control = new MemoryControl()
    const observed = new Observed(control)
    report(control, 0, 10, undefined)
    observed.sample()
    report(control, 10, 10, 50)
    observed.sample()
    expect(observed.dropRate('host0', 5, 'port_ingress', 'drop_malformed')).toBe(5)
  })

  it('derives names anew when the control plane changes', () => {
    const control = new MemoryControl()
    const observed = new Observed(control)
    const stop = new AbortController()
    observed.follow(stop.signal)
    expect(observed.directory.networkName(7)).toBeNull()
    control.stored.set('t', {
      name: 't',
      revision: 2n,
      applied_at: '',
      source: '',
      desired: {
        name: 't',
        description: '',
        nodes: [],
        networks: [
          {
            ...plainNetwork,
            name: 'red',
            vni: 7,
          },
        ],
      },
    })
    control.changed()
    expect(observed.directory.networkName(7)).toBe('red')
    stop.abort()
  })
})

import type { Fanout, Trace, TraceEvent } from '../api/frames.js'

/** Of four probes, one met an old table on the far node. */
export const trace: Trace = {
  id: '7c1e',
  network: 'red',
  vni: 10_000,
  from: { node: 'host0', interface: 'tap0', mac: '02:00:00:01:00:01', ip: '99.1.0.1' },
  to: { mac: '02:00:00:01:00:09', ip: '99.1.0.9', node: 'host2', interface: 'tap0' },
  delivered: false,
  simulated: {
    hops: [
      {
        hop: 0,
        node: 'host0',
        program: 'port_ingress',
        where: 'tap0',
        reason: 'forward_tunnel',
        looked_up: [
          { map: 'ports', key: 'tap0', value: 'vni 10000, mtu 1450', revision: 0 },
          { map: 'fdb', key: '10000 02:00:00:01:00:09', value: '172.16.1.102 static', revision: 1841 },
        ],
        next: ['172.16.1.102'],
        revision: 1843,
      },
      {
        hop: 1,
        node: 'host2',
        program: 'tunnel_ingress',
        where: '172.16.1.100',
        reason: 'forward_local',
        looked_up: [{ map: 'learned', key: '10000 02:00:00:01:00:09', value: 'tap0', revision: 0 }],
        next: ['tap0'],
        revision: 1839,
      },
    ],
    delivered: [{ node: 'host2', interface: 'tap0' }],
  },
  live: {
    probes: 4,
    events: [
      event(0, 'host0', 'port_ingress', 'tap0', 'forward_tunnel', '172.16.1.102', 0, 4),
      event(1, 'host2', 'tunnel_ingress', 'weft-vxlan', 'forward_local', '172.16.1.100', 118, 3),
      event(1, 'host2', 'tunnel_ingress', 'weft-vxlan', 'drop_unknown_vtep', '172.16.1.100', 20_140, 1),
      event(1, 'host2', 'port_egress', 'tap0', 'deliver_port', null, 127, 3),
    ],
    delivered: [{ node: 'host2', interface: 'tap0', frames: 3 }],
    lost_records: 0,
  },
  differences: [
    'the tables of host2 say forward_local, and the probes met forward_local (3 of 4), drop_unknown_vtep (1 of 4)',
    'host2/tap0 should get each of 4 probes once, and got 3',
  ],
  silent: [{ node: 'host7', code: 'W-3015', message: 'node host7 is not connected' }],
}

function event(
  ...[hop, node, program, where, reason, vtep, at_us, frames]: [
    number,
    string,
    string,
    string,
    string,
    string | null,
    number,
    number,
  ]
): TraceEvent {
  return { hop, node, program, where, reason, vtep, at_us, frames }
}

export const fanout: Fanout = {
  network: 'red',
  vni: 10_000,
  from: { node: 'host0', interface: 'tap0', mac: '02:00:00:01:00:01' },
  exact: false,
  ports: [
    { node: 'host0', interface: 'tap0', copies: 0, expected: 0 },
    { node: 'host1', interface: 'tap0', copies: 1, expected: 1 },
    { node: 'host2', interface: 'tap0', copies: 2, expected: 1 },
    { node: 'host2', interface: 'tap1', copies: 0, expected: 1 },
    { node: 'host7', interface: 'tap0', copies: null, expected: 1 },
  ],
  silent: [{ node: 'host7', code: 'W-3015', message: 'node host7 is not connected' }],
}

import { ethernet, icmp, ipv4, mac } from './frames.js'

/** Who the dataplane tests speak of. Alice and Bob are on this node, Remote is behind a VTEP. */
export const vni = 100
export const alice = mac('02:00:00:00:00:0a')
export const bob = mac('02:00:00:00:00:0b')
export const remote = mac('02:00:00:00:01:0b')

/** VTEPs as the rig's underlay reaches them. */
export const vtep = '198.51.100.2'
export const otherVtep = '198.51.100.3'
export const vtep6 = '2001:db8:1::2'

export const ping = ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, icmp({ id: 1, seq: 1 }, new Uint8Array(56)))
export const aliceToBob = ethernet({ from: alice, to: bob }, ping)
